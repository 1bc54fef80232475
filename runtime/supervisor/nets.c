/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/nets.h"

#include <string.h>

#include "runtime/net/net.h"
#include "runtime/plan/plan.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/namespaces.h"
#include "runtime/supervisor/reply.h"

/* Return: 1 if forwarding was switched on for it */
static int nets_make_one(struct supervisor *s, struct spawn *sp, unsigned int i, struct err *err)
{
	struct plan *p = s->launch->plan;
	int rc = net_setup(&p->net[i], &s->state->net[i], &sp->tap[i], err);

	if (rc == 0)
		net_fill_settings(p, i, s->state->net, &sp->tap[i]);
	if (rc < 0 || !p->net[i].masquerade)
		return rc;
	rc = net_forwarding_on(err);
	return rc < 0 ? err_wrap(err, "%s/masquerade", p->net[i].pointer) : rc;
}

/* The supervisor of a container is in that one's namespace; all modes but netns begin in the host's. */
static int nets_go_out(const struct supervisor *s, unsigned int mode, int *ret_back,
		       struct err *err)
{
	return s->host_net >= 0 && mode != NET_MODE_NETNS ? netns_enter(s->host_net, ret_back, err)
							  : 0;
}

static int nets_make_in_place(struct supervisor *s, struct spawn *sp, unsigned int i,
			      struct err *err)
{
	int back = -1, rc = nets_go_out(s, s->launch->plan->net[i].mode, &back, err);

	if (rc == 0)
		rc = nets_make_one(s, sp, i, err);
	if (back >= 0)
		netns_leave(back);
	return rc;
}

int nets_make(struct supervisor *s, struct spawn *sp, struct err *err)
{
	const struct launch *l = s->launch;
	int rc = 0;

	for (unsigned int i = 0; rc >= 0 && i < s->state->nr_nets; i++) {
		struct net_record *record = &s->state->net[i];

		rc = nets_make_in_place(s, sp, i, err);
		if (rc > 0)
			l->warn(l->arg, "net.ipv4.ip_forward was 0 and is 1 now, for "
					"masquerading; it stays so");
		phases_add(s->phases, "network", record->device, clock_ns());
	}
	return rc < 0 ? rc : 0;
}

/* Recorded before it is joined, and again if joining failed */
static int nets_join_one(struct supervisor *s, struct net_record *record, struct err *err)
{
	struct err ignored;
	int rc = state_save(s->dir, s->state, err);

	if (rc < 0) {
		net_record_disown(record->joined); /* so that the next start looks again */
		return rc;
	}
	rc = net_join(record, err);
	if (rc < 0)
		(void)!state_save(s->dir, s->state, &ignored);
	return rc;
}

/** struct hearer - Where warnings go: the log and a client */
struct hearer {
	struct supervisor *s;
	int client;
};

static void nets_hear(void *arg, const char *text)
{
	const struct hearer *h = arg;

	reply_warn(&h->s->log, h->client, text);
}

int nets_join(struct supervisor *s, int client, struct err *err)
{
	struct hearer h = {s, client};
	const struct warn_to warn = {nets_hear, &h};
	struct state *t = s->state;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < t->nr_nets; i++) {
		rc = net_look(t->net, t->nr_nets, i, err);
		if (rc > 0)
			rc = nets_join_one(s, &t->net[i], err);
	}
	for (unsigned int i = 0; rc == 0 && i < t->nr_nets; i++)
		rc = net_warn_left(t->net, t->nr_nets, i, &warn, err);
	return rc;
}

/* The lease of device @n, as a file, if only its start has made it known; -1: none */
static int nets_lease(const struct supervisor *s, unsigned int n, int *ret_fd, struct err *err)
{
	const struct plan *p = s->launch->plan;
	struct net_lease lease;
	int fd;

	*ret_fd = -1;
	if (s->state->net[n].mode != NET_MODE_NETNS || !p->net[n].dhcp)
		return 0;
	net_lease(p, s->state->net, s->state->nr_nets, n, &lease);
	fd = net_lease_file(&lease, err);
	*ret_fd = fd;
	return fd < 0 ? fd : 0;
}

int nets_message(const struct supervisor *s, unsigned int i, struct ctl_msg *ret, int *ret_fd,
		 struct err *err)
{
	for (unsigned int n = 0; n < s->state->nr_nets; n++) {
		const struct net_record *record = &s->state->net[n];
		const bool down = record->mode == NET_MODE_NETNS && !record->joined[0];
		int rc;

		if (strcmp(s->proc[i].name, record->device) != 0)
			continue;
		*ret = (struct ctl_msg){.type = CTL_NET,
					.code = record->mtu | (down ? CTL_NET_DOWN : 0),
					.arg = ctl_mac(record->mac)};
		rc = nets_lease(s, n, ret_fd, err);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

uint32_t nets_hidden(const struct supervisor *s)
{
	const struct plan *p = s->launch->plan;
	uint32_t hidden = 0;

	for (unsigned int i = 0; p->container && i < s->state->nr_nets; i++)
		if (s->state->net[i].mode == NET_MODE_NETNS && !s->state->net[i].joined[0])
			hidden |= 1U << (p->net[i].proc - 1);
	return hidden;
}

int nets_describe(const struct supervisor *s, struct spec_items *to, struct err *err)
{
	namespaces_describe(s, to);
	return net_describe(s->state->net, s->state->nr_nets, to, err);
}

static int nets_undo_in_place(const struct supervisor *s, const struct net_record *record,
			      struct err *err)
{
	int back = -1, rc = nets_go_out(s, record->mode, &back, err);

	if (rc == 0)
		rc = net_undo(record, err);
	if (back >= 0)
		netns_leave(back);
	return rc;
}

void nets_undo(struct supervisor *s)
{
	struct state *t = s->state;
	unsigned int left = 0;
	struct err err;

	for (unsigned int i = 0; i < t->nr_nets; i++) {
		if (nets_undo_in_place(s, &t->net[i], &err) < 0) {
			oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
			t->net[left++] = t->net[i];
		}
	}
	t->nr_nets = left;
	cleanup_close_fd(&s->host_net);
	s->host_net = -1;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/nets.h"

#include "runtime/net/net.h"
#include "runtime/plan/plan.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/reply.h"

int nets_make(struct supervisor *s, struct spawn *sp, struct err *err)
{
	const struct launch *l = s->launch;
	unsigned int i;
	int r = 0;

	for (i = 0; r >= 0 && i < s->state->nr_nets; i++) {
		struct net_made *made = &s->state->net[i];

		r = net_setup(&l->plan->net[i], made, &sp->tap[i], err);
		if (r == 0)
			net_tell(l->plan, i, made, &sp->tap[i]);
		if (r == 0 && l->plan->net[i].masquerade) {
			r = net_forwarding_on(err);
			if (r < 0)
				err_wrap(err, "%s/masquerade", l->plan->net[i].pointer);
		}
		if (r > 0)
			l->warn(l->arg, "net.ipv4.ip_forward was 0 and is 1 now, for "
					"masquerading; it stays so");
		phases_add(s->phases, "network", made->device, clock_ns());
	}
	return r < 0 ? r : 0;
}

/* On file before it is touched, and again when it was not joined after all */
static int nets_join_one(struct supervisor *s, struct net_made *made, struct err *err)
{
	struct err ignored;
	int r = state_save(s->dir, s->state, err);

	if (r < 0) {
		net_made_disown(made->joined); /* so that the next start looks again */
		return r;
	}
	r = net_join(made, err);
	if (r < 0)
		(void)!state_save(s->dir, s->state, &ignored);
	return r;
}

/** struct hearer - Who gets warnings */
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
	unsigned int i;
	int r = 0;

	for (i = 0; r == 0 && i < t->nr_nets; i++) {
		r = net_look(t->net, t->nr_nets, i, err);
		if (r > 0)
			r = nets_join_one(s, &t->net[i], err);
	}
	for (i = 0; r == 0 && i < t->nr_nets; i++)
		r = net_warn_left(t->net, t->nr_nets, i, &warn, err);
	return r;
}

void nets_undo(struct supervisor *s)
{
	struct state *t = s->state;
	unsigned int i, left = 0;
	struct err err;

	for (i = 0; i < t->nr_nets; i++) {
		if (net_undo(&t->net[i], &err) < 0) {
			oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
			t->net[left++] = t->net[i];
		}
	}
	t->nr_nets = left;
}

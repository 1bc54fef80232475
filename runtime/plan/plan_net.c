/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_net.h"

#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/plan/plan_settings.h"

/* A bucket holds the bytes of a tenth of a second, but at least the largest frame. */
#define BURST_PART	10
#define BURST_BYTES_MIN 65562

static void plan_net_copy_name(char ret[16], const char *s)
{
	if (s)
		fmt_into(ret, 16, "%s", s);
}

static struct net_rate plan_net_with_bursts(struct net_rate r)
{
	if (r.bytes_per_s && !r.burst_bytes)
		r.burst_bytes = r.bytes_per_s / BURST_PART > BURST_BYTES_MIN
					? r.bytes_per_s / BURST_PART
					: BURST_BYTES_MIN;
	if (r.packets_per_s && !r.burst_packets)
		r.burst_packets = r.packets_per_s / BURST_PART ? r.packets_per_s / BURST_PART : 1;
	return r;
}

static void plan_net_set_proc(struct plan_proc *proc, const struct plan_net *n)
{
	const unsigned int pairs = n->queue_pairs;

	if (n->vhost)
		plan_set_kind(proc, KIND_VHOST_NET);
	proc->nr_queues = (uint16_t)(proc->kind->queues.each * pairs + proc->kind->queues.more);
	if (n->mode == NET_MODE_NONE)
		return;
	for (unsigned int i = 0; i < pairs; i++) {
		proc->fd[BOOT_FD_RES + i] = (struct plan_fd){.source = PLAN_FD_TAP, .index = i};
		if (n->vhost)
			proc->fd[BOOT_FD_RES + pairs + i] = (struct plan_fd){
				.source = PLAN_FD_VHOST_NET, .index = i};
	}
	proc->nr_fds = BOOT_FD_RES + (n->vhost ? 2 * pairs : pairs);
}

static void plan_net_set_rates(struct plan_proc *proc, const struct bundle_device *d)
{
	const struct net_settings settings = {
		.to_guest = plan_net_with_bursts(d->net.rate.to_guest),
		.from_guest = plan_net_with_bursts(d->net.rate.from_guest),
	};

	plan_set_settings(proc, &settings, sizeof(settings));
}

static int plan_net_fill(struct plan *p, unsigned int proc, const struct bundle_device *d,
			 struct err *err)
{
	struct plan_net *n = &p->net[p->nr_nets];

	n->proc = proc;
	n->mode = (enum net_mode)d->net.mode;
	n->alone = p->container && n->mode == NET_MODE_NETNS;
	plan_net_copy_name(n->name, d->net.name);
	/* The same name in every VM: so the second one in a namespace finds it taken. */
	if (n->alone && !n->name[0])
		fmt_into(n->name, sizeof(n->name), "vmrun%u", p->nr_nets);
	p->nr_nets++;
	plan_net_copy_name(n->bridge, d->net.bridge);
	plan_net_copy_name(n->parent, d->net.parent);
	n->fd = d->net.fd ? (int)d->net.fd : -1;
	n->host = d->net.host;
	n->guest = d->net.guest;
	n->pool = d->net.pool;
	n->gateway = d->net.gateway;
	memcpy(n->mac, d->net.mac, sizeof(n->mac));
	n->mtu = (uint16_t)d->net.mtu;
	n->queue_pairs = (uint16_t)d->queues;
	n->masquerade = d->net.masquerade;
	n->host_network = d->net.host_network;
	n->vhost = d->net.vhost;
	n->dhcp = d->net.dhcp && !n->vhost && n->mode != NET_MODE_NONE;
	n->nr_dns = d->net.nr_dns;
	memcpy(n->dns, d->net.dns, sizeof(n->dns));
	plan_net_set_proc(&p->proc[proc], n);
	plan_net_set_rates(&p->proc[proc], d);
	n->pointer = strdup(d->pointer);
	if (d->net.netns)
		n->netns_path = strdup(d->net.netns);
	if (!n->pointer || (d->net.netns && !n->netns_path))
		return plan_no_memory(err);
	return 0;
}

static int plan_net_add(struct plan_build *bd, const struct bundle_device *d)
{
	unsigned int proc = bd->p->nr_procs;

	plan_set_returns(bd, plan_add_device(bd, KIND_NET), d);
	return plan_net_fill(bd->p, proc, d, bd->err);
}

/** struct place - A namespace to join: its identity and the number of its interfaces */
struct place {
	const char *path; /* NULL: the device has another mode */
	struct netns_id id;
	unsigned int found;
};

static struct place plan_net_place_of(const struct plan_build *bd, const struct bundle_device *d)
{
	struct place at = {.path = NULL};

	if (d->type != KIND_NET || d->net.mode != NET_MODE_NETNS)
		return at;
	at.path = d->net.netns;
	at.found = bd->host->interfaces ? bd->host->interfaces(at.path, bd->p->container, &at.id)
					: 0;
	return at;
}

static bool plan_net_same_place(const struct place *a, const struct place *b)
{
	if (!a->path || !b->path)
		return false;
	return a->id.ino && b->id.ino ? a->id.dev == b->id.dev && a->id.ino == b->id.ino
				      : !strcmp(a->path, b->path);
}

/* @have devices join the namespace @at: one more like @d for each further interface in it */
static int plan_net_add_found_nets(struct plan_build *bd, const struct bundle_device *d,
				   const struct place *at, unsigned int have)
{
	struct bundle_device more = *d;
	unsigned int behind = bundle_listed(bd->b, KIND_VHOST_USER);
	int rc = 0;

	for (unsigned int id = 0; id < KINDS; id++)
		behind += plan_nr_plain(bd->b, id);
	more.net.name = NULL; /* TAP names are unique */
	for (; rc == 0 && have < at->found; have++) {
		if (bd->p->nr_procs - 1 + behind >= BOOT_DEVICES_MAX)
			break;
		rc = plan_net_add(bd, &more);
	}
	return rc;
}

/* A namespace to join implies a device, and so does a new one, into which others may put an interface before the start.
 * What is too many then gets a warning. A caller that cannot make a namespace has none to put anything into. */
static int plan_net_add_implied(struct plan_build *bd)
{
	char pointer[SCHEMA_POINTER_BYTES];
	struct bundle_device d = {.type = KIND_NET, .pointer = pointer, .queues = 1};
	unsigned int index = 0;
	struct place at = {.path = NULL};
	int rc;

	d.net.mode = NET_MODE_NETNS;
	d.net.dhcp = !bd->b->container; /* its init knows the networks */
	d.net.netns = bundle_netns(bd->b, &index);
	if (!d.net.netns && bd->host->interfaces && bd->host->interfaces(NULL, true, NULL) == 0)
		return 0;
	fmt_into(pointer, sizeof(pointer), "/linux/namespaces/%u", index);
	if (d.net.netns)
		at = plan_net_place_of(bd, &d);
	rc = plan_net_add(bd, &d);
	return rc < 0 ? rc : plan_net_add_found_nets(bd, &d, &at, 1);
}

/* These come last: so the numbers of listed devices do not depend on the host. */
static int plan_net_add_all_found_nets(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	const unsigned int nr = bd->b->vm.devices.nr;
	cleanup_free struct place *at = calloc(nr + 1, sizeof(*at));
	int rc = at ? 0 : plan_no_memory(bd->err);

	for (unsigned int i = 0; rc == 0 && i < nr; i++)
		at[i] = plan_net_place_of(bd, &d[i]);
	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		unsigned int have = 0;
		bool last = true;

		for (unsigned int k = 0; k < nr; k++) {
			have += plan_net_same_place(&at[i], &at[k]);
			last &= k <= i || !plan_net_same_place(&at[i], &at[k]);
		}
		if (have && last)
			rc = plan_net_add_found_nets(bd, &d[i], &at[i], have);
	}
	return rc;
}

int plan_net_add_all(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = 0;

	if (bundle_implied_net(bd->b))
		return plan_net_add_implied(bd);
	for (unsigned int i = 0; rc == 0 && i < bd->b->vm.devices.nr; i++)
		if (d[i].type == KIND_NET)
			rc = plan_net_add(bd, &d[i]);
	return rc < 0 ? rc : plan_net_add_all_found_nets(bd);
}

void plan_net_free(struct plan_net *n)
{
	free(n->netns_path);
	free(n->pointer);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mode netns: a network namespace that others own and fill
 *
 * CNI plugins, podman and docker put interfaces with addresses into a namespace, some of them only after
 * create. So create makes the TAP there, and start joins it to an interface that exists then: frames that
 * arrive at the interface go to the guest before the namespace's own IP sees them, and the guest has the
 * interface's MAC and addresses. Undo removes the two redirects; the namespace and all else in it stay.
 */
#include "runtime/net/mode_netns.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "runtime/net/host.h"
#include "runtime/net/names.h"
#include "runtime/net/ops.h"
#include "runtime/net/sysctl.h"
#include "runtime/netlink/netns.h"
#include "runtime/netlink/tc.h"

/* ---- create ---- */

/* The guest gets all frames of an interface that is joined, which would cut off the host. */
static int mode_netns_check_not_own(const struct plan_net *p, const struct netns_id *id,
				    struct err *err)
{
	struct netns_id own;
	int rc = netns_identify(-1, &own, err);

	if (rc < 0 || p->host_network || !netns_same(id, &own))
		return rc;
	return err_text(
		err, EINVAL,
		"%s is vmrun's own network namespace, and the guest would take over its "
		"interfaces: leave it out, or list {\"type\": \"net\", \"mode\": \"netns\", "
		"\"hostNetwork\": true} in vm.devices",
		p->netns_path);
}

static int mode_netns_plan(const struct plan_net *p, const char *id, struct net_record *record,
			   struct err *err)
{
	cleanup_fd int fd = -1;
	int rc;

	record->whole = p->alone;
	if (!record->tap[0])
		net_name_link("vt", id, record->device, 0, record->tap);
	if (!p->netns_path) /* it will be the supervisor's: net_own() */
		return 0;
	if (strlen(p->netns_path) >= sizeof(record->netns))
		return err_set(err, ENAMETOOLONG, "network namespace %s", p->netns_path);
	fmt_into(record->netns, sizeof(record->netns), "%s", p->netns_path);
	rc = netns_open(record->netns, &fd, err);
	if (rc == 0)
		rc = netns_identify(fd, &record->netns_id, err);
	return rc < 0 ? rc : mode_netns_check_not_own(p, &record->netns_id, err);
}

int net_own(struct net_record *record, struct err *err)
{
	if (record->mode != NET_MODE_NETNS || record->netns[0])
		return 0;
	fmt_into(record->netns, sizeof(record->netns), "/proc/%d/ns/net", getpid());
	record->own = true;
	return netns_identify(-1, &record->netns_id, err);
}

/** struct making - A TAP to make */
struct making {
	const struct plan_net *p;
	struct tap *tap;
};

static int mode_netns_make_tap(struct nl *nl, void *arg, struct err *err)
{
	const struct making *m = arg;
	const struct plan_net *p = m->p;
	struct tap *tap = m->tap;
	struct rtnl_link link;
	/* mode_netns_setup() put the wanted name there; opening fills it in again. */
	int rc = tap_open(tap->name, p->queue_pairs, tap, err);

	if (rc == -EBUSY && p->alone)
		return err_text(err, EBUSY,
				"another container has a VM in this network namespace: vmrun runs "
				"one container of a pod, and this would be the second");
	if (rc == 0)
		rc = rtnl_link_get(nl, tap->name, &link, err);
	if (rc < 0)
		return rc;
	net_ipv6_off(tap->name);
	return net_up(nl, link.index, p->mtu, 0, err);
}

static int mode_netns_setup(const struct plan_net *p, struct net_record *record, struct tap *ret,
			    struct err *err)
{
	struct making m = {p, ret};

	memcpy(ret->name, record->tap, sizeof(ret->name));
	return netns_inside(record->netns, &record->netns_id, mode_netns_make_tap, &m, err);
}

/* ---- start ---- */

static int mode_netns_add_redirects(struct nl *nl, void *arg, struct err *err)
{
	const struct net_record *record = arg;
	const uint16_t mark = net_name_mark(record->tap);
	struct rtnl_link tap, link;
	struct err ignored;
	int rc = rtnl_link_get(nl, record->tap, &tap, err);

	if (rc == 0)
		rc = rtnl_link_get(nl, record->joined, &link, err);
	if (rc == 0)
		rc = net_up(nl, tap.index, record->mtu, 0, err);
	if (rc == 0)
		rc = tc_redirect(nl, tap.index, link.index, mark, err);
	if (rc < 0)
		return rc;
	rc = tc_redirect(nl, link.index, tap.index, mark, err);
	if (rc < 0)
		(void)!tc_clear(nl, tap.index, mark, &ignored);
	return rc;
}

int net_join(struct net_record *record, struct err *err)
{
	int rc;

	if (record->mode != NET_MODE_NETNS || !record->joined[0])
		return 0;
	rc = netns_inside(record->netns, &record->netns_id, mode_netns_add_redirects, record, err);
	if (rc == 0)
		return 0;
	/* Another process was faster and owns what that interface has. */
	if (rc == -EEXIST)
		err_text(err, EEXIST, NET_INGRESS_TAKEN, record->joined);
	net_record_disown(record->joined);
	return err_wrap(err, "%s", record->device);
}

/* ---- the end ---- */

static int mode_netns_remove_redirects(struct nl *nl, void *arg, struct err *err)
{
	const struct net_record *record = arg;
	struct rtnl_link link;
	int rc = rtnl_link_get(nl, record->joined, &link, err);

	if (rc == 0)
		rc = tc_clear(nl, link.index, net_name_mark(record->tap), err);
	return rc == -ENODEV || rc == -ENOENT ? 0 : rc;
}

static int mode_netns_undo(const struct net_record *record, struct err *err)
{
	struct netns_id id = record->netns_id;
	int rc;

	if (!record->joined[0])
		return 0;
	rc = netns_inside(record->netns, &id, mode_netns_remove_redirects, (void *)record, err);
	/* A namespace whose path is gone (-EINVAL: only its mount point is left) or leads to another one now
	 * may live on, but cannot be found. */
	return rc == -ENOENT || rc == -EINVAL || rc == -ESTALE ? 0 : rc;
}

const struct net_ops net_netns_ops = {mode_netns_plan, mode_netns_setup, mode_netns_undo};

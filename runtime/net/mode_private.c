/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mode private: a network namespace made for one device
 *
 *   guest -- TAP == veth "eth0"  |  veth host end, host's address -- routing, masquerading
 *            (tc, both ways)     |
 *   the namespace made for it    |  the host's namespace
 *
 * The namespace has no address and no routing: frames pass below both. It has no name and no process is in it.
 * The TAP's fd keeps it alive, so it ends with the device's process.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/net/host.h"
#include "runtime/net/names.h"
#include "runtime/net/ops.h"
#include "runtime/net/pool.h"
#include "runtime/net/sysctl.h"
#include "runtime/netlink/netns.h"
#include "runtime/netlink/tc.h"

#define TAP_NAME  "tap0"
#define VETH_NAME "eth0"
#define NET_MARK  1 /* any mark: everything in there is ours */

static int mode_private_plan(const struct plan_net *p, const char *id, struct net_record *record,
			     struct err *err)
{
	int rc = net_pick_name("vh", id, record->device, record->host_link, err);

	if (!record->tap[0])
		fmt_into(record->tap, sizeof(record->tap), TAP_NAME);
	if (strcmp(record->tap, VETH_NAME) == 0)
		return err_text(err, EINVAL, "in the private namespace %s is the veth's name",
				VETH_NAME);
	if (!record->mtu)
		record->mtu = NET_MTU_DEFAULT;
	/* The first to try: only set-up can claim one. */
	if (!p->host.bits)
		net_record_set_host(record, p, net_name_host(net_pool_of(p), id, record->device));
	return rc;
}

/* Redirects the frames of TAP and veth to each other, and switches both on */
static int mode_private_join_inside(struct nl *nl, const struct net_record *record, struct err *err)
{
	struct rtnl_link tap, veth;
	int rc = rtnl_link_get(nl, record->tap, &tap, err);

	if (rc == 0)
		rc = rtnl_link_get(nl, VETH_NAME, &veth, err);
	if (rc == 0)
		rc = tc_redirect(nl, tap.index, veth.index, NET_MARK, err);
	if (rc == 0)
		rc = tc_redirect(nl, veth.index, tap.index, NET_MARK, err);
	if (rc == 0)
		rc = net_up(nl, tap.index, record->mtu, 0, err);
	if (rc == 0)
		rc = net_up(nl, veth.index, record->mtu, 0, err);
	return rc;
}

/* Runs in the new namespace; @outside is the host's */
static int mode_private_make_inside(const struct plan_net *p, const struct net_record *record,
				    int outside, struct tap *ret, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link lo;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	/* Otherwise neighbour discovery of this namespace reaches guest and host. */
	net_ipv6_off("all");
	net_ipv6_off("default");
	rc = rtnl_link_get(&nl, "lo", &lo, err);
	if (rc == 0)
		rc = net_up(&nl, lo.index, 0, 0, err);
	if (rc == 0)
		rc = tap_open(record->tap, p->queue_pairs, ret, err);
	if (rc == 0)
		rc = rtnl_veth_add(&nl, VETH_NAME, record->host_link, outside, err);
	return rc < 0 ? rc : mode_private_join_inside(&nl, record, err);
}

static int mode_private_make_outside(const struct plan_net *p, const struct net_record *record,
				     struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc == 0)
		rc = rtnl_link_get(&nl, record->host_link, &link, err);
	if (rc == 0)
		rc = rtnl_addr_add(&nl, link.index, record->host, err);
	/* The table forbids this and more, until another process flushes the host's rules. */
	if (rc == 0 && !p->masquerade)
		net_forwarding_off(record->host_link);
	return rc < 0 ? rc : net_up(&nl, link.index, record->mtu, 0, err);
}

static int mode_private_setup(const struct plan_net *p, struct net_record *record, struct tap *ret,
			      struct err *err)
{
	int outside = -1, rc = netns_enter(-1, &outside, err);

	if (rc == 0) {
		rc = mode_private_make_inside(p, record, outside, ret, err);
		netns_leave(outside);
	}
	/* Made by another process since net_plan() found the name free */
	if (rc == -EEXIST)
		net_record_disown(record->host_link);
	if (rc == 0)
		rc = net_pool_claim(p, record, err);
	if (rc < 0) {
		net_record_disown(record->table);
		return rc;
	}
	rc = net_isolate(p, record, err);
	return rc < 0 ? rc : mode_private_make_outside(p, record, err);
}

static int mode_private_undo_link(const struct net_record *record, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	int rc;

	if (!record->host_link[0])
		return 0;
	rc = nl_open(&nl, NETLINK_ROUTE, err);
	if (rc < 0)
		return rc;
	rc = rtnl_link_get(&nl, record->host_link, &link, err);
	/* It would go with its namespace, but only some time later. */
	if (rc == 0 && strcmp(link.kind, "veth") == 0)
		rc = rtnl_link_del(&nl, link.index, err);
	return rc == -ENODEV ? 0 : rc;
}

static int mode_private_undo(const struct net_record *record, struct err *err)
{
	struct err other;
	const int table = net_unisolate(record, err);
	const int link = mode_private_undo_link(record, table < 0 ? &other : err);

	return table < 0 ? table : link;
}

const struct net_ops net_private_ops = {mode_private_plan, mode_private_setup, mode_private_undo};

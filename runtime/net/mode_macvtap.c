/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mode macvtap: a macvtap on an interface of the host
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "runtime/net/host.h"
#include "runtime/net/ops.h"
#include "runtime/net/sysctl.h"

static int mode_macvtap_plan(const struct plan_net *p UNUSED, const char *id,
			     struct net_record *record, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	if (!record->tap[0])
		return net_pick_name("vm", id, record->device, record->tap, err);
	/* Checked before the record says that undo may remove it. */
	rc = rtnl_link_get(&nl, record->tap, &link, err);
	if (rc == 0)
		return err_text(err, EEXIST, "interface %s exists", record->tap);
	return rc == -ENODEV ? 0 : rc;
}

/* Says more than the kernel's "Invalid argument" */
static int mode_macvtap_failed(int rc, const struct plan_net *p, const struct rtnl_link *parent,
			       struct err *err)
{
	if (rc == -EINVAL && p->mtu > parent->mtu)
		return err_text(err, EINVAL, "mtu %u is more than the %u of interface %s", p->mtu,
				parent->mtu, p->parent);
	if (rc == -EINVAL)
		return err_text(err, EINVAL, "interface %s takes no macvtap", p->parent);
	if (rc == -EBUSY)
		return err_text(err, EBUSY,
				"interface %s takes no macvtap while it is a port of another",
				p->parent);
	return rc;
}

static int mode_macvtap_setup(const struct plan_net *p, struct net_record *record, struct tap *ret,
			      struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link parent, link;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	rc = rtnl_link_get(&nl, p->parent, &parent, err);
	if (rc == -ENODEV)
		return err_text(err, ENODEV, "interface %s does not exist", p->parent);
	if (rc < 0)
		return rc;
	rc = rtnl_macvtap_add(&nl, record->tap, parent.index, record->mac, err);
	/* Made by another process since net_plan() found the name free */
	if (rc == -EEXIST)
		net_record_disown(record->tap);
	if (rc < 0)
		return mode_macvtap_failed(rc, p, &parent, err);
	rc = rtnl_link_get(&nl, record->tap, &link, err);
	if (rc < 0)
		return rc;
	record->mtu = p->mtu ? p->mtu : net_mtu_like(&parent);
	net_ipv6_off(record->tap);
	rc = net_up(&nl, link.index, record->mtu, 0, err);
	return rc < 0 ? mode_macvtap_failed(rc, p, &parent, err)
		      : tap_macvtap(link.index, record->tap, p->queue_pairs, ret, err);
}

static int mode_macvtap_undo(const struct net_record *record, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	int rc;

	if (!record->tap[0])
		return 0;
	rc = nl_open(&nl, NETLINK_ROUTE, err);
	if (rc < 0)
		return rc;
	rc = rtnl_link_get(&nl, record->tap, &link, err);
	/* A macvtap of that name that another process made since has another MAC. */
	if (rc == 0 && strcmp(link.kind, "macvtap") == 0 && memcmp(link.mac, record->mac, 6) == 0)
		rc = rtnl_link_del(&nl, link.index, err);
	return rc == -ENODEV ? 0 : rc;
}

const struct net_ops net_macvtap_ops = {mode_macvtap_plan, mode_macvtap_setup, mode_macvtap_undo};

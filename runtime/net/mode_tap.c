/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Modes tap and bridge: a TAP among the interfaces of the host
 *
 * A TAP that existed before (persistent, not in use) is taken as it is and not changed: so there is nothing to
 * undo, and its owner needs no privilege. It must be as the bundle says.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "runtime/net/host.h"
#include "runtime/net/ops.h"
#include "runtime/netlink/rtnl_dump.h"

/* ---- a TAP in the host's namespace ---- */

/* Whether a process has it open: only then does it have a carrier */
static bool mode_tap_in_use(const char *name)
{
	cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = {0};

	fmt_into(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	return sock >= 0 && ioctl(sock, SIOCGIFFLAGS, &q) == 0 && (q.ifr_flags & IFF_RUNNING);
}

static int mode_tap_has_address(struct nl *nl, int index, struct net_addr a, struct err *err)
{
	struct rtnl_addr found[RTNL_ADDRS_MAX];
	unsigned int nr = 0;
	int rc = rtnl_addrs(nl, found, &nr, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < nr; i++)
		if (found[i].index == index && found[i].family == AF_INET &&
		    found[i].bits == a.bits && memcmp(found[i].addr, &a.addr, 4) == 0)
			return 1;
	return 0;
}

/* Whether a TAP that existed before is as the bundle says */
static int mode_tap_check_premade(struct nl *nl, const struct plan_net *p,
				  const struct rtnl_link *link, int master, struct err *err)
{
	int rc;

	if (!link->up)
		return err_text(err, ENETDOWN, "TAP %s was there before and is down", link->name);
	if (p->mtu && p->mtu != link->mtu)
		return err_text(err, EINVAL, "TAP %s was there before, with an MTU of %u, not %u",
				link->name, link->mtu, p->mtu);
	if (link->master != master)
		return err_text(err, EINVAL, "TAP %s was there before, and not as port of %s",
				link->name, master ? p->bridge : "nothing");
	if (!p->host.bits)
		return 0;
	rc = mode_tap_has_address(nl, link->index, p->host, err);
	if (rc == 0)
		return err_text(err, EADDRNOTAVAIL,
				"TAP %s was there before, without the host's address", link->name);
	return rc < 0 ? rc : 0;
}

/* *ret_link: as it is now; *ret_premade: it existed before */
static int mode_tap_open_here(struct nl *nl, const struct plan_net *p, struct net_record *record,
			      struct tap *ret, struct rtnl_link *ret_link, bool *ret_premade,
			      struct err *err)
{
	int rc = rtnl_link_get(nl, record->tap, ret_link, err);

	if (rc < 0 && rc != -ENODEV)
		return rc;
	*ret_premade = rc == 0;
	/* A new one is in NET_GROUP and needs no table. */
	if (rc < 0)
		net_record_disown(record->table);
	if (rc == 0 && strcmp(ret_link->kind, "tun") != 0)
		return err_text(err, EEXIST, "interface %s exists and is no TAP", record->tap);
	if (rc == 0 && mode_tap_in_use(record->tap))
		return err_text(err, EBUSY, "TAP %s is in use", record->tap);
	rc = tap_open(record->tap, p->queue_pairs, ret, err);
	if (rc == 0)
		rc = rtnl_link_get(nl, record->tap, ret_link, err);
	return rc < 0 || !*ret_premade ? rc : net_guard(record, err);
}

static int mode_tap_plan_here(const struct plan_net *p UNUSED, const char *id,
			      struct net_record *record, struct err *err)
{
	return record->tap[0] ? 0 : net_pick_name("vt", id, record->device, record->tap, err);
}

static int mode_tap_setup(const struct plan_net *p, struct net_record *record, struct tap *ret,
			  struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	bool premade;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc == 0)
		rc = mode_tap_open_here(&nl, p, record, ret, &link, &premade, err);
	if (rc == 0 && premade)
		rc = mode_tap_check_premade(&nl, p, &link, link.master, err);
	if (rc == 0 && !premade && p->host.bits)
		rc = net_check_free(&nl, p->host, err);
	if (rc == 0 && !premade && p->host.bits)
		rc = rtnl_addr_add(&nl, link.index, p->host, err);
	if (rc == 0 && !premade)
		rc = net_up(&nl, link.index, p->mtu, 0, err);
	if (rc == 0)
		record->mtu = p->mtu ? p->mtu : (uint16_t)link.mtu;
	return rc;
}

/* ---- port of a bridge ---- */

static int mode_tap_plan_bridge(const struct plan_net *p, const char *id, struct net_record *record,
				struct err *err)
{
	memcpy(record->bridge, p->bridge, sizeof(record->bridge));
	return mode_tap_plan_here(p, id, record, err);
}

static int mode_tap_setup_bridge(const struct plan_net *p, struct net_record *record,
				 struct tap *ret, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link bridge, link;
	bool premade;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	rc = rtnl_link_get(&nl, record->bridge, &bridge, err);
	if (rc == -ENODEV)
		return err_text(err, ENODEV, "bridge %s does not exist", record->bridge);
	if (rc < 0)
		return rc;
	if (strcmp(bridge.kind, "bridge") != 0)
		return err_text(err, EINVAL, "%s is no bridge", record->bridge);
	rc = mode_tap_open_here(&nl, p, record, ret, &link, &premade, err);
	if (rc < 0)
		return rc;
	if (premade) {
		record->mtu = (uint16_t)link.mtu;
		return mode_tap_check_premade(&nl, p, &link, bridge.index, err);
	}
	record->mtu = p->mtu ? p->mtu : net_mtu_like(&bridge);
	rc = net_up(&nl, link.index, record->mtu, bridge.index, err);
	return rc == -EXFULL ? err_text(err, EXFULL, "bridge %s has no port left", record->bridge)
			     : rc;
}

const struct net_ops net_tap_ops = {mode_tap_plan_here, mode_tap_setup, net_unisolate};
const struct net_ops net_bridge_ops = {mode_tap_plan_bridge, mode_tap_setup_bridge, net_unisolate};

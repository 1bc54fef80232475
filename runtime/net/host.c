/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/host.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "runtime/net/names.h"
#include "runtime/net/sysctl.h"
#include "runtime/netlink/nft.h"
#include "runtime/netlink/rtnl_dump.h"
#include "runtime/util/addr.h"

/* ---- names and interfaces ---- */

int net_pick_name(const char *kind, const char *id, const char *device, char ret[16],
		  struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	char name[16];
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	for (unsigned int try = 0; try < NET_TRIES; try++) {
		net_name_link(kind, id, device, try, name);
		rc = rtnl_link_get(&nl, name, &link, err);
		if (rc == -ENODEV) {
			memcpy(ret, name, sizeof(name));
			return 0;
		}
		if (rc < 0)
			return rc;
	}
	return err_text(err, EEXIST, "no free name for an interface: %s is taken too", name);
}

int net_up(struct nl *nl, int index, uint16_t mtu, int master, struct err *err)
{
	const struct rtnl_change c = {
		.up = true, .mtu = mtu, .group = NET_GROUP, .master = master, .netns_fd = -1};

	return rtnl_link_change(nl, index, &c, err);
}

int net_check_free(struct nl *nl, struct net_addr host, struct err *err)
{
	char text[ADDR_TEXT_BYTES];
	int rc = rtnl_addr_in_use(nl, host, err);

	addr_put(host, text);
	return rc > 0 ? err_text(err, EADDRINUSE,
				 "hostIp %s: an interface of this host is in that network already",
				 text)
		      : rc;
}

uint16_t net_mtu_like(const struct rtnl_link *link)
{
	return link->mtu < NET_MTU_MAX ? (uint16_t)link->mtu : NET_MTU_MAX;
}

/* ---- tables of nf_tables ---- */

int net_isolate(const struct plan_net *p, struct net_record *record, struct err *err)
{
	const struct nft_private private = {.link = record->host_link,
					    .group = NET_GROUP,
					    .guest = record->guest.addr,
					    .masquerade = p->masquerade};
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc = nl_open(&nl, NETLINK_NETFILTER, err);

	if (rc == 0)
		rc = nft_private_add(&nl, record->table, &private, err);
	if (rc == 0)
		return 0;
	/* A table of that name is not ours, and undo would need a privilege even to look. */
	if (rc == -EEXIST || rc == -EPERM || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT)
		net_record_disown(record->table);
	if (p->masquerade || (rc != -EOPNOTSUPP && rc != -EPROTONOSUPPORT))
		return rc;
	/* A host that forwards nothing needs no table. */
	return !net_host_forwards()
		       ? 0
		       : err_text(err, EOPNOTSUPP,
				  "this host forwards packets, and only nf_tables can keep a "
				  "private guest out of that: load it, or set "
				  "net.ipv4.ip_forward and net.ipv6.conf.all.forwarding to 0");
}

int net_guard(struct net_record *record, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc = nl_open(&nl, NETLINK_NETFILTER, err);

	if (rc == 0)
		rc = nft_guard_add(&nl, record->table, record->tap, NET_GROUP, err);
	if (rc < 0)
		net_record_disown(record->table);
	/* Such a TAP exists so that its owner needs no privilege. */
	return rc == -EPERM || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT ? 0 : rc;
}

int net_unisolate(const struct net_record *record, struct err *err)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc;

	if (!record->table[0])
		return 0;
	rc = nl_open(&nl, NETLINK_NETFILTER, err);
	/* A kernel without netfilter has no table. */
	if (rc < 0)
		return rc == -EPROTONOSUPPORT ? 0 : rc;
	rc = nft_table_del(&nl, record->table,
			   record->host_link[0] ? record->host_link : record->tap, err);
	/* A process that may not ask has made none. */
	return rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EPERM ? 0 : rc;
}

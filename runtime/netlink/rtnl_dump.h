/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: rtnetlink's dumps: all links, addresses, routes, neighbours of a namespace
 *
 * A dump that a change interrupts is begun again.
 * Context of all: setup.  Syscalls: sendto recvmsg poll
 */
#ifndef VMRUN_RUNTIME_NETLINK_RTNL_DUMP_H
#define VMRUN_RUNTIME_NETLINK_RTNL_DUMP_H

#include "runtime/netlink/rtnl_parse.h"

#define RTNL_LINKS_MAX	64
#define RTNL_ADDRS_MAX	64
#define RTNL_ROUTES_MAX 128
#define RTNL_NEIGHS_MAX 128

/** rtnl_links(), rtnl_addrs(), ... - Dump into @ret, at most the MAX above; -E2BIG if there are more */
MUST_CHECK int rtnl_links(struct nl *nl, struct rtnl_link ret[RTNL_LINKS_MAX], unsigned int *ret_nr,
			  struct err *err);
MUST_CHECK int rtnl_addrs(struct nl *nl, struct rtnl_addr ret[RTNL_ADDRS_MAX], unsigned int *ret_nr,
			  struct err *err);
MUST_CHECK int rtnl_routes(struct nl *nl, struct rtnl_route ret[RTNL_ROUTES_MAX],
			   unsigned int *ret_nr, struct err *err);
MUST_CHECK int rtnl_neighs(struct nl *nl, struct rtnl_neigh ret[RTNL_NEIGHS_MAX],
			   unsigned int *ret_nr, struct err *err);

/** struct rtnl_lefts - How many routes and rules struct rtnl_route cannot express, without those that every kernel makes */
struct rtnl_lefts {
	unsigned int routes, rules;
};

/** rtnl_lefts() - Count them: other tables, other types, several next hops, for one source ... */
MUST_CHECK int rtnl_lefts(struct nl *nl, struct rtnl_lefts *ret, struct err *err);

/**
 * rtnl_addr_in_use() - Whether the network of any address of this namespace overlaps @net
 *
 * Return: 1, 0 or -errno
 */
MUST_CHECK int rtnl_addr_in_use(struct nl *nl, struct net_addr net, struct err *err);

/**
 * rtnl_nets_within() - Find the networks in @within that addresses, or routes of any table and kind, use
 * @on_net:	Called for each network that overlaps @within, perhaps more than once
 *
 * A route to more than a /8 counts as a piece of a default route, not as use.
 */
MUST_CHECK int rtnl_nets_within(struct nl *nl, struct net_addr within,
				void (*on_net)(const struct rtnl_net *n, void *arg), void *arg,
				struct err *err);

#endif

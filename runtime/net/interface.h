/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One interface of a namespace to join, and what a guest must know of it
 *
 * Nothing in a namespace is expected to stay as it is: it is listed anew by each call, and what was found
 * is copied, so that it can be told and put on record. What a kernel makes of its addresses by itself
 * (the routes to their networks, link-local addresses) the guest's kernel makes too. So an address is
 * told with its prefix where the route to that network is there and used, and alone (/32, /128) where it
 * is not: plug-ins remove it, "noprefixroute" and peers have none, another interface was first. Then a route
 * that was made for an address is told like others.
 */
#ifndef VMRUN_RUNTIME_NET_INTERFACE_H
#define VMRUN_RUNTIME_NET_INTERFACE_H

#include "runtime/net/made.h"
#include "runtime/netlink/rtnl_dump.h"

/** struct net_found - Interfaces and addresses of a namespace; routes where they are needed */
struct net_found {
	struct rtnl_link link[RTNL_LINKS_MAX];
	struct rtnl_addr addr[RTNL_ADDRS_MAX];
	struct rtnl_route route[RTNL_ROUTES_MAX];
	unsigned int nr_links, nr_addrs, nr_routes;
};

/** net_found_list() - List interfaces and addresses of the namespace of @nl */
MUST_CHECK int net_found_list(struct nl *nl, struct net_found *ret, struct err *err);

/** net_found_has_address() - Whether an interface is up and has an address that a guest would get */
bool net_found_has_address(const struct net_found *f, const struct rtnl_link *link);

/**
 * net_interface_record() - Put an interface on record as the one to be joined
 * @f:		As listed; routes are added
 * @made:	joined, MAC, MTU, addresses, routes, neighbours are filled in; of earlier ones there are none
 *
 * Return: 0; -EEXIST when it has an ingress qdisc; -E2BIG; other -errno
 */
MUST_CHECK int net_interface_record(struct nl *nl, struct net_found *f,
				    const struct rtnl_link *link, struct net_made *made,
				    struct err *err);

#endif

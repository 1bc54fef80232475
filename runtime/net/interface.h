/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One interface of a namespace to join, and what a guest must know about it
 *
 * A namespace can change at any time: so each call lists it anew, and copies what it finds into the record. The
 * routes to the networks of its addresses, and link-local addresses, a guest's kernel makes by itself. So an
 * address keeps its prefix where the route to that network exists and is used, and gets /32 or /128 where not:
 * plug-ins remove the route, "noprefixroute" and peers have none, another interface came first. In that case
 * a route made for an address is copied like others.
 */
#ifndef VMRUN_RUNTIME_NET_INTERFACE_H
#define VMRUN_RUNTIME_NET_INTERFACE_H

#include "runtime/net/record.h"
#include "runtime/netlink/rtnl_dump.h"

/** struct net_found - Interfaces and addresses of a namespace; routes once an interface is recorded */
struct net_found {
	struct rtnl_link link[RTNL_LINKS_MAX];
	struct rtnl_addr addr[RTNL_ADDRS_MAX];
	struct rtnl_route route[RTNL_ROUTES_MAX];
	unsigned int nr_links, nr_addrs, nr_routes;
};

/** net_found_list() - List interfaces and addresses of the namespace of @nl; *ret is to be freed */
MUST_CHECK int net_found_list(struct nl *nl, struct net_found **ret, struct err *err);

/** net_found_has_address() - Whether an interface is up and has an address for a guest */
bool net_found_has_address(const struct net_found *f, const struct rtnl_link *link);

/**
 * net_found_counts() - Whether mode netns joins an interface
 * @whole:	Each that has a MAC and no TAP's kind; otherwise only those with an address for a guest
 */
bool net_found_counts(const struct net_found *f, const struct rtnl_link *link, bool whole);

/**
 * net_interface_record() - Record an interface as the one to join
 * @f:		As listed; routes are added
 * @record:	Without addresses, routes and neighbours; those (unless it is whole), joined, MAC and MTU are filled in
 *
 * Return: 0; -EEXIST if it has an ingress qdisc; -E2BIG; other -errno
 */
MUST_CHECK int net_interface_record(struct nl *nl, struct net_found *f,
				    const struct rtnl_link *link, struct net_record *record,
				    struct err *err);

#endif

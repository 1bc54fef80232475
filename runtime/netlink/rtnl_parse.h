/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: rtnetlink's messages about links, addresses, routes and neighbours, as structs
 *
 * Addresses are in network byte order.
 * Context of all: any.  Syscalls: none
 */
#ifndef VMRUN_RUNTIME_NETLINK_RTNL_PARSE_H
#define VMRUN_RUNTIME_NETLINK_RTNL_PARSE_H

#include "runtime/netlink/nl.h"
#include "runtime/util/addr.h"

/** struct rtnl_link - An interface */
struct rtnl_link {
	int index;
	int master;
	uint32_t mtu;
	bool up, loopback, ethernet, arp;
	uint8_t mac[6];
	char name[16];
	char kind[16]; /* "veth", "bridge", "tun", ... or empty */
};

/**
 * struct rtnl_addr - An interface's own address
 * @family:	AF_INET or AF_INET6; the first 4 or 16 bytes of @addr, @to and @broadcast count
 * @passing:	IPv6: temporary, or found to be a duplicate
 * @no_route:	The kernel made no route to its network ("noprefixroute")
 * @to:		The peer's address; without one @addr again. The network is @to's
 * @broadcast:	All zeros: none
 * @metric:	Of the route to its network; 0: the kernel's choice
 * @label:	IPv4: "eth0:1", as a rule the interface's name
 */
struct rtnl_addr {
	int index;
	uint8_t family, bits, scope;
	bool passing, no_route;
	uint8_t addr[16], to[16], broadcast[4];
	uint32_t metric;
	char label[16];
};

/**
 * struct rtnl_route - A unicast route of the main table, out of one interface, for any source and service
 * @bits:	0: the default route
 * @has_gateway: Whether @gateway counts; it is of the route's own family
 * @connected:	The kernel made it for an address
 * @implied:	The kernel made it for an address, or because of a router's message
 * @onlink:	The gateway is on the link, though no route says so
 * @metric:	Of two routes to one destination the one with the lower metric is used
 * @mtu, @advmss: 0: as the link has it
 * @src:	The preferred source address; all zeros: none
 */
struct rtnl_route {
	int out_index;
	uint8_t family, bits, scope, protocol;
	bool has_gateway, connected, implied, onlink;
	uint32_t metric, mtu, advmss;
	uint8_t dst[16], gateway[16], src[16];
};

/** struct rtnl_net - An IPv4 network that a route of @table leads to, or (@table 0) that an interface is in */
struct rtnl_net {
	struct net_addr net;
	uint32_t table;
};

/** struct rtnl_neigh - A permanent neighbour: the guest learns others by itself */
struct rtnl_neigh {
	int index;
	uint8_t family;
	uint8_t addr[16], mac[6];
};

/** enum rtnl_kind - RTNL_LEFT_*: what struct rtnl_route cannot express and not every kernel makes; without a struct */
enum rtnl_kind {
	RTNL_LINK,
	RTNL_ADDR,
	RTNL_ROUTE,
	RTNL_NEIGH,
	RTNL_NET,
	RTNL_LEFT_ROUTE,
	RTNL_LEFT_RULE,
	RTNL_KINDS
};

union rtnl_item {
	struct rtnl_link link;
	struct rtnl_addr addr;
	struct rtnl_route route;
	struct rtnl_neigh neigh;
	struct rtnl_net net;
};

/**
 * rtnl_parse() - Parse one answer
 * @ret:	Filled if 1 is returned, otherwise undefined
 *
 * Return: 1; 0 for an answer to skip (a route of another table, ...); -EPROTO
 */
MUST_CHECK int rtnl_parse(enum rtnl_kind kind, const struct nlmsghdr *nlh, union rtnl_item *ret);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: rtnetlink: links, addresses, routes, neighbours
 *
 * Each function is one request. Names are 1 to 15 bytes; addresses are in network byte order.
 * Context of all: setup.  Syscalls: sendto recvmsg poll
 */
#ifndef VMRUN_RUNTIME_NETLINK_RTNL_H
#define VMRUN_RUNTIME_NETLINK_RTNL_H

#include "runtime/netlink/nl.h"
#include "runtime/util/addr.h"

#define RTNL_LINKS_MAX	64
#define RTNL_ADDRS_MAX	64
#define RTNL_ROUTES_MAX 128
#define RTNL_NEIGHS_MAX 128

/** struct rtnl_link - What a dump tells about a link */
struct rtnl_link {
	int index;
	int master;
	uint32_t mtu;
	bool up, loopback, ethernet;
	uint8_t mac[6];
	char name[16];
	char kind[16]; /* "veth", "bridge", "tun", ... or empty */
};

/**
 * struct rtnl_addr - The interface's own end
 * @family:	AF_INET or AF_INET6; the first 4 or 16 bytes of @addr count
 * @passing:	IPv6: one that the kernel made up for a time, or that it found taken
 */
struct rtnl_addr {
	int index;
	uint8_t family, bits, scope;
	bool passing;
	uint8_t addr[16];
};

/**
 * struct rtnl_route - Unicast, of the main table, out of one interface, for any source and type of service
 * @bits:	0: the default route
 * @has_gateway: Whether @gateway counts; it is of the route's own family
 * @connected:	The kernel made it for an address
 * @implied:	It made it for that, or because a router said so
 * @metric:	The lower one of two to the same destination is used
 */
struct rtnl_route {
	int out_index;
	uint8_t family, bits, scope;
	bool has_gateway, connected, implied;
	uint32_t metric;
	uint8_t dst[16], gateway[16];
};

/** struct rtnl_net - IPv4 addresses that a route of @table leads to, or (0) that an interface is among */
struct rtnl_net {
	struct net_addr net;
	uint32_t table;
};

/** struct rtnl_neigh - One that was set, not learned: what is learned will be learned again */
struct rtnl_neigh {
	int index;
	uint8_t family;
	uint8_t addr[16], mac[6];
};

/** struct rtnl_change - What to set of a link; what is zero (fds: -1) is left alone */
struct rtnl_change {
	bool up;
	uint32_t mtu;
	uint32_t group;
	int master;
	int netns_fd;
	const uint8_t *mac;
	const char *name;
};

/** rtnl_link_get() - One link by name; -ENODEV when there is none */
MUST_CHECK int rtnl_link_get(struct nl *nl, const char *name, struct rtnl_link *ret,
			     struct err *err);

/** rtnl_links(), rtnl_addrs(), ... - Dump into @ret; *ret_nr of at most the MAX above, -E2BIG beyond */
MUST_CHECK int rtnl_links(struct nl *nl, struct rtnl_link ret[RTNL_LINKS_MAX], unsigned int *ret_nr,
			  struct err *err);
MUST_CHECK int rtnl_addrs(struct nl *nl, struct rtnl_addr ret[RTNL_ADDRS_MAX], unsigned int *ret_nr,
			  struct err *err);
MUST_CHECK int rtnl_routes(struct nl *nl, struct rtnl_route ret[RTNL_ROUTES_MAX],
			   unsigned int *ret_nr, struct err *err);
MUST_CHECK int rtnl_neighs(struct nl *nl, struct rtnl_neigh ret[RTNL_NEIGHS_MAX],
			   unsigned int *ret_nr, struct err *err);

/**
 * rtnl_addr_in_use() - Whether the network of any address of this namespace overlaps @net
 *
 * Return: 1, 0 or -errno
 */
MUST_CHECK int rtnl_addr_in_use(struct nl *nl, struct net_addr net, struct err *err);

/**
 * rtnl_taken() - What of @within is in use: by addresses, or by routes of any table and kind
 * @on_net:	Called for each network that overlaps @within, perhaps more than once
 *
 * Routes to more than a /8 are taken for pieces of a default route, and not for use.
 */
MUST_CHECK int rtnl_taken(struct nl *nl, struct net_addr within,
			  void (*on_net)(const struct rtnl_net *n, void *arg), void *arg,
			  struct err *err);

enum rtnl_kind { RTNL_LINK, RTNL_ADDR, RTNL_ROUTE, RTNL_NEIGH, RTNL_NET, RTNL_KINDS };

union rtnl_item {
	struct rtnl_link link;
	struct rtnl_addr addr;
	struct rtnl_route route;
	struct rtnl_neigh neigh;
	struct rtnl_net net;
};

/**
 * rtnl_parse() - One answer of a dump, for the above and fuzzing
 * @ret:	Filled where 1 is returned, undefined else
 *
 * Return: 1; 0 for one that is none of ours (a route of another table, ...); -EPROTO
 */
MUST_CHECK int rtnl_parse(enum rtnl_kind kind, const struct nlmsghdr *nlh, union rtnl_item *ret);

/**
 * rtnl_veth_add() - A veth pair: @name here, @peer in @peer_netns_fd (-1: here as well)
 *
 * Return: 0, -EEXIST when a name is taken, other -errno
 */
MUST_CHECK int rtnl_veth_add(struct nl *nl, const char *name, const char *peer, int peer_netns_fd,
			     struct err *err);
/** rtnl_macvtap_add() - In bridge mode: the guests of one parent see each other, not the host */
MUST_CHECK int rtnl_macvtap_add(struct nl *nl, const char *name, int parent_index,
				const uint8_t mac[6], struct err *err);
/** rtnl_link_change() - All of @c in one request */
MUST_CHECK int rtnl_link_change(struct nl *nl, int index, const struct rtnl_change *c,
				struct err *err);
/** rtnl_altname_add() - Another name for the interface; -EEXIST when one of this namespace has it */
MUST_CHECK int rtnl_altname_add(struct nl *nl, int index, const char *name, struct err *err);
/** rtnl_link_del() - -ENODEV when it is gone already */
MUST_CHECK int rtnl_link_del(struct nl *nl, int index, struct err *err);
/** rtnl_addr_add() - -EEXIST when it is there */
MUST_CHECK int rtnl_addr_add(struct nl *nl, int index, struct net_addr a, struct err *err);

/**
 * tc_redirect() - Send every frame that comes in on one interface out on another
 * @mark:	Not 0; by it tc_clear() knows the filter again
 *
 * An ingress qdisc and one filter: matchall where the kernel has it, u32 else; action mirred redirect.
 * Call it twice for both ways. -EEXIST when the interface has an ingress qdisc (or clsact). tc.c.
 */
MUST_CHECK int tc_redirect(struct nl *nl, int from_index, int to_index, uint16_t mark,
			   struct err *err);

/**
 * tc_clear() - Remove the ingress qdisc and with it the filter that tc_redirect() made
 *
 * Return: 0; -ENOENT when there is none, or one with another mark, or with filters beside; other -errno
 */
MUST_CHECK int tc_clear(struct nl *nl, int index, uint16_t mark, struct err *err);

/** tc_taken() - Whether the interface has an ingress qdisc, or clsact, which take the same place: 1, 0, -errno */
MUST_CHECK int tc_taken(struct nl *nl, int index, struct err *err);

#endif

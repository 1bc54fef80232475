/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: rtnetlink's requests: ask for a link, make, change and remove links and addresses
 *
 * Each function is one request. Names are 1 to 15 bytes; addresses are in network byte order.
 * Context of all: setup.  Syscalls: sendto recvmsg poll
 */
#ifndef VMRUN_RUNTIME_NETLINK_RTNL_H
#define VMRUN_RUNTIME_NETLINK_RTNL_H

#include "runtime/netlink/rtnl_parse.h"

/** struct rtnl_change - What to change of a link; 0 (fds: -1) leaves a property alone */
struct rtnl_change {
	bool up;
	uint32_t mtu;
	uint32_t group;
	int master;
	int netns_fd;
	const uint8_t *mac;
	const char *name;
};

/** rtnl_link_get() - Find a link by name; -ENODEV if there is none */
MUST_CHECK int rtnl_link_get(struct nl *nl, const char *name, struct rtnl_link *ret,
			     struct err *err);

/**
 * rtnl_veth_add() - Add a veth pair: @name here, @peer in @peer_netns_fd (-1: here as well)
 *
 * Return: 0, -EEXIST if a name is in use, other -errno
 */
MUST_CHECK int rtnl_veth_add(struct nl *nl, const char *name, const char *peer, int peer_netns_fd,
			     struct err *err);
/** rtnl_macvtap_add() - Add one in bridge mode: the guests of one parent see each other, not the host */
MUST_CHECK int rtnl_macvtap_add(struct nl *nl, const char *name, int parent_index,
				const uint8_t mac[6], struct err *err);
/** rtnl_link_change() - Make all changes of @c in one request */
MUST_CHECK int rtnl_link_change(struct nl *nl, int index, const struct rtnl_change *c,
				struct err *err);
/** rtnl_altname_add() - Add an alternative name; -EEXIST if an interface of this namespace has it */
MUST_CHECK int rtnl_altname_add(struct nl *nl, int index, const char *name, struct err *err);
/** rtnl_link_del() - Remove a link; -ENODEV if it does not exist */
MUST_CHECK int rtnl_link_del(struct nl *nl, int index, struct err *err);
/** rtnl_addr_add() - Add an address; -EEXIST if the interface has it */
MUST_CHECK int rtnl_addr_add(struct nl *nl, int index, struct net_addr a, struct err *err);

#endif

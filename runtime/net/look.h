/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What there is to join in a network namespace
 */
#ifndef VMRUN_RUNTIME_NET_LOOK_H
#define VMRUN_RUNTIME_NET_LOOK_H

#include "runtime/net/made.h"
#include "runtime/util/warn.h"

/**
 * net_count() - How many interfaces of the network namespace @path netns mode would join
 * @ret_id:	Which one that is
 *
 * Those that are up and have an IPv4 address or a global IPv6 one, but for loopback and what is no
 * Ethernet.
 */
MUST_CHECK int net_count(const char *path, unsigned int *ret, struct netns_id *ret_id,
			 struct err *err);

/**
 * net_look() - What netns mode finds at start: the interfaces that are there now
 * @made:	All @nr of the VM; joined, MAC, MTU, addresses, routes, ... of number @i are filled in
 *
 * Device number @i takes the first interface of those net_count() counts that no other one in the same
 * namespace took. Finding none is no error: joined is empty then. What is joined stays joined when a
 * start is tried again. Without effect in other modes.
 * Return: 1 when something was found that is to be joined; 0; -EEXIST when that has an ingress qdisc, so
 * that nothing of another's is ever on record as ours; -E2BIG; other -errno
 */
MUST_CHECK int net_look(struct net_made *made, unsigned int nr, unsigned int i, struct err *err);

/**
 * net_warn_left() - After all were joined: warn of each interface with addresses that no device took
 * @made:	All @nr of the VM; looks into the namespace of number @i, unless one before it is of the same
 */
MUST_CHECK int net_warn_left(const struct net_made *made, unsigned int nr, unsigned int i,
			     const struct warn_to *warn, struct err *err);

#endif

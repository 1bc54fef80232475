/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The interfaces of a network namespace that mode netns joins
 */
#ifndef VMRUN_RUNTIME_NET_LOOK_H
#define VMRUN_RUNTIME_NET_LOOK_H

#include "runtime/net/record.h"
#include "runtime/util/warn.h"

/**
 * net_count() - Count the interfaces of the network namespace @path that netns mode would join
 * @whole:	For a container: all Ethernet interfaces but TAPs. Otherwise those that are up and have an IPv4 or a
 *		global IPv6 address
 * @ret_id:	Identity of the namespace
 */
MUST_CHECK int net_count(const char *path, bool whole, unsigned int *ret, struct netns_id *ret_id,
			 struct err *err);

/**
 * net_look() - Find, at start, the interface for device number @i
 * @record:	All @nr of the VM; joined, MAC, MTU, addresses, routes, ... of number @i are filled in
 *
 * The device takes the first interface that net_count() counts and no other device took. If there is none,
 * joined stays empty, and that is no error. An interface stays joined if start is tried again. No effect in
 * other modes.
 * Return: 1 if it found one to join; 0; -EEXIST if that has an ingress qdisc, so that the record never claims
 * what another process owns; -E2BIG; other -errno
 */
MUST_CHECK int net_look(struct net_record *record, unsigned int nr, unsigned int i,
			struct err *err);

/**
 * net_warn_left() - Once all are joined: warn about each interface with addresses that no device took; for a
 *		container in one line, with the number of routes and rules that the description cannot express
 * @record:	All @nr of the VM; looks into the namespace of number @i, unless a lower number has the same
 */
MUST_CHECK int net_warn_left(const struct net_record *record, unsigned int nr, unsigned int i,
			     const struct warn_to *warn, struct err *err);

#endif

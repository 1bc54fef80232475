/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Joining two interfaces by traffic control
 *
 * What comes in on one interface leaves by the other, before the host's IP stack sees it: so an
 * interface may keep its addresses and a guest behind the other may use them. It takes an ingress
 * qdisc, which is no queue but a place for filters, and one filter that takes every frame. matchall
 * is made for that; u32 with a key that compares nothing does the same on kernels without.
 *
 * The interface may be another's, who may use that place too. An ingress qdisc has no name of its own, so
 * what is ours is told by the filter's priority, which means nothing else where there is one filter. One
 * without any filter is what a death between the two steps leaves.
 */
#ifndef VMRUN_RUNTIME_NETLINK_TC_H
#define VMRUN_RUNTIME_NETLINK_TC_H

#include "runtime/netlink/nl.h"

/**
 * tc_redirect() - Send every frame that comes in on one interface out on another
 * @mark:	Not 0; by it tc_clear() knows the filter again
 *
 * An ingress qdisc and one filter: matchall where the kernel has it, u32 else; action mirred redirect.
 * Call it twice for both ways. -EEXIST when the interface has an ingress qdisc (or clsact).
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

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Joining two interfaces by traffic control
 *
 * A frame that enters by one interface leaves by the other before the host's IP stack sees it: so an interface
 * can keep its addresses while a guest behind the other uses them. That takes an ingress qdisc, a place for
 * filters rather than a queue, and one filter that matches every frame: matchall, or on kernels without it u32
 * with a key that compares nothing.
 *
 * The owner of the interface may use an ingress qdisc too. It has no name, so the priority of the filter marks
 * ours; with a single filter it has no other meaning. A death between the two steps leaves a qdisc without a
 * filter.
 */
#ifndef VMRUN_RUNTIME_NETLINK_TC_H
#define VMRUN_RUNTIME_NETLINK_TC_H

#include "runtime/netlink/nl.h"

/**
 * tc_redirect() - Send every frame that comes in on one interface out on another
 * @mark:	Not 0; tc_clear() recognises the filter by it
 *
 * Call it twice for both ways. -EEXIST if the interface has an ingress qdisc (or clsact).
 */
MUST_CHECK int tc_redirect(struct nl *nl, int from_index, int to_index, uint16_t mark,
			   struct err *err);

/**
 * tc_clear() - Remove the ingress qdisc and the filter that tc_redirect() made
 *
 * Return: 0; -ENOENT if there is none, or it has another mark or more filters; other -errno
 */
MUST_CHECK int tc_clear(struct nl *nl, int index, uint16_t mark, struct err *err);

/** tc_taken() - Whether the interface has an ingress qdisc, or clsact in its place: 1, 0 or -errno */
MUST_CHECK int tc_taken(struct nl *nl, int index, struct err *err);

#endif

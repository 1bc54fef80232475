/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: All that a network namespace has, for the guest of a container
 *
 * Links, addresses, routes of the main table and permanent neighbours are described as they are, so that the guest shows
 * what the namespace shows. The guest's kernel makes routes for addresses as this one did: so an address whose route is
 * gone (plug-ins remove it) becomes one without ("noprefixroute"). What a router told the namespace is left out: it
 * tells the guest, too.
 */
#ifndef VMRUN_RUNTIME_NET_WHOLE_H
#define VMRUN_RUNTIME_NET_WHOLE_H

#include "runtime/net/record.h"
#include "runtime/util/spec_items.h"

/**
 * net_whole_describe() - Add the items of what device @i of mode netns has joined
 * @record:	All of the VM; the first device of a namespace brings the loopback device with it
 * @link:	Number of the next link; raised
 */
MUST_CHECK int net_whole_describe(const struct net_record *record, unsigned int i, uint32_t *link,
				  struct spec_items *to, struct err *err);

#endif

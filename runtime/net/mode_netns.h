/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mode netns: whose namespace it is, and joining what net_look() found
 */
#ifndef VMRUN_RUNTIME_NET_MODE_NETNS_H
#define VMRUN_RUNTIME_NET_MODE_NETNS_H

#include "runtime/net/record.h"

/**
 * net_own() - Record that a device is in the calling process's namespace, unless it is known to be in another
 *
 * For a container that gets a new one. It goes with that process, and with the TAP in it.
 */
MUST_CHECK int net_own(struct net_record *record, struct err *err);

/** net_join() - Join what net_look() found, once it is recorded. On failure nothing is joined */
MUST_CHECK int net_join(struct net_record *record, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mode netns: joining what net_look() found
 */
#ifndef VMRUN_RUNTIME_NET_MODE_NETNS_H
#define VMRUN_RUNTIME_NET_MODE_NETNS_H

#include "runtime/net/record.h"

/** net_join() - Join what net_look() found, once it is recorded. On failure nothing is joined */
MUST_CHECK int net_join(struct net_record *record, struct err *err);

#endif

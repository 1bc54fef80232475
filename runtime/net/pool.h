/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A free network for a private device, claimed for it
 *
 * A pool is cut into networks of four addresses, enough for a link. A network is free if no address of the host
 * is in it and no route of any table leads to it: a VPN with the whole pool in a table of its own would get
 * packets meant for the guest. A VM claims a network by a second name for the host's end of the link,
 * "vmrun-100.64.0.4-30": the kernel gives one name in a network namespace to one interface only, and the name
 * goes with the link.
 */
#ifndef VMRUN_RUNTIME_NET_POOL_H
#define VMRUN_RUNTIME_NET_POOL_H

#include "runtime/net/record.h"

/**
 * net_pool_claim() - Claim a network for made->host_link: the plan's, or the first free one of the pool
 * @record:	made->host is the first to try, and becomes the host's address in the network claimed
 *
 * Return: 0; -EADDRINUSE if none is free, or the plan's is not; other -errno
 */
MUST_CHECK int net_pool_claim(const struct plan_net *p, struct net_record *record, struct err *err);

#endif

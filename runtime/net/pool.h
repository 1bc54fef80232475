/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Networks of private devices: one that is free, and nobody else's from then on
 *
 * A pool is cut into networks of four addresses, the kind that a link needs. One is free where no address
 * of the host is and no route of any table leads, main or other: a VPN that has the whole pool in a table
 * of its own would get what is meant for the guest. It is taken by a second name for the host's end of
 * the link, "vmrun-100.64.0.4-30": of two who want one name in a network namespace the kernel lets one
 * have it, and the name goes with the link.
 */
#ifndef VMRUN_RUNTIME_NET_POOL_H
#define VMRUN_RUNTIME_NET_POOL_H

#include "runtime/net/made.h"

/**
 * net_pool_claim() - Take a network for made->host_link: the one given, or the first free one of the pool
 * @made:	Its host becomes what was taken; where none is given, the first to be tried
 *
 * Return: 0; -EADDRINUSE when there is none, or the one given is not free; other -errno
 */
MUST_CHECK int net_pool_claim(const struct plan_net *p, struct net_made *made, struct err *err);

#endif

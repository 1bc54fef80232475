/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The modes of a network device
 *
 *   mode     TAP                      joined to the host by           outlives the TAP's fd
 *   private  in a namespace made new  a veth, redirected by tc        the veth's host end, the table
 *   tap      here                     an address of its own           the guard of one made beforehand
 *   bridge   here                     being port of the bridge        likewise
 *   netns    in the namespace given   redirects made at start         the redirects
 *   macvtap  is the macvtap           the parent interface            the macvtap
 *   fd       the caller's             the caller                      the caller's business
 *   none     none                     nothing                         nothing
 */
#ifndef VMRUN_RUNTIME_NET_MODE_H
#define VMRUN_RUNTIME_NET_MODE_H

#include "runtime/net/ops.h"

/** net_ops() - The mode's; never NULL */
const struct net_ops *net_ops(enum net_mode m);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The modes of a network device
 *
 *   mode     TAP                          joined to the host by       outlives the TAP's fd
 *   private  in a new namespace           a veth, redirected by tc    the veth's host end, the table
 *   tap      in the host's namespace      an address of its own       the table of one that existed before
 *   bridge   in the host's namespace      being a port of the bridge  likewise
 *   netns    in the namespace given       redirects made at start     the redirects
 *   macvtap  the macvtap                  the parent interface        the macvtap
 *   fd       the caller's                 the caller                  what the caller made
 *   none     none                         nothing                     nothing
 */
#ifndef VMRUN_RUNTIME_NET_MODE_H
#define VMRUN_RUNTIME_NET_MODE_H

#include "runtime/net/ops.h"

/** net_ops() - The functions of a mode; never NULL */
const struct net_ops *net_ops(enum net_mode m);

#endif

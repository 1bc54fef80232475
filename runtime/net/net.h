/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM's network devices: set up, at start, undone
 *
 *   launcher    net_plan()    names and addresses, asked of the host; into the state file
 *   supervisor  net_setup()   before anything is spawned
 *               net_look()    at start, netns mode: what is there to join; into the state file
 *               net_join()    joins it
 *               net_warn_left()    what nothing was there for
 *               net_cmdline() what the guest's kernel is told of all that
 *               net_undo()    at the end, and in delete
 *
 * What is about to be made is in the state file before it is made (struct net_made), so that delete
 * --force knows after a death between any two steps. Undoing tolerates whatever is missing. A TAP is
 * never removed: it goes with its last fd, and one that was there before stays. A network namespace
 * made for a VM goes with the TAP's fd too, and takes with it what is inside. So what is left to
 * remove by name are the host's end of a veth, a macvtap, nftables tables, an ingress qdisc.
 */
#ifndef VMRUN_RUNTIME_NET_NET_H
#define VMRUN_RUNTIME_NET_NET_H

#include "runtime/net/cmdline.h"
#include "runtime/net/look.h"
#include "runtime/net/made.h"
#include "runtime/net/mode_netns.h"
#include "runtime/net/names.h"
#include "runtime/net/sysctl.h"
#include "runtime/netlink/tap.h"
#include "runtime/plan/plan.h"

/**
 * net_plan() - Decide names and addresses that are to be recorded before anything is made
 * @device:	Name of its process
 * @ret:	Untouched on failure
 *
 * Asks the host which names and networks are free. An inherited TAP (fd mode) is vmrun's from here on:
 * it becomes close-on-exec.
 */
MUST_CHECK int net_plan(const struct plan_net *p, const char *id, const char *device,
			struct net_made *ret, struct err *err);

/**
 * net_setup() - Make what @made says; undone whole on failure
 * @made:	Its MTU and the TAP's name are filled in
 * @ret:	The TAP, the caller's to tap_close(); without fds in mode none
 *
 * Context: the supervisor, before anything is spawned; it has one thread and keeps its namespace.
 */
MUST_CHECK int net_setup(const struct plan_net *p, struct net_made *made, struct tap *ret,
			 struct err *err);

/**
 * net_tell() - Complete the settings of network device @i in the plan, once it is set up
 * @made, @tap:	As net_setup() left them
 */
void net_tell(struct plan *p, unsigned int i, const struct net_made *made, const struct tap *tap);

/** net_undo() - Remove whatever is left, after whatever happened; -EBUSY and such name what stays */
MUST_CHECK int net_undo(const struct net_made *made, struct err *err);

#endif

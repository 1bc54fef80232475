/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM's network devices: set up, at start, undone
 *
 *   launcher    net_plan()       chooses names and addresses that are free; into the state file
 *   supervisor  net_own()        mode netns: knows its own namespace, if the container gets a new one
 *               net_setup()      makes them, before it spawns anything
 *               net_look()       at start, mode netns: finds the interface to join; into the state file
 *               net_join()       joins it
 *               net_warn_left()  warns about interfaces that no device took
 *               net_lease()      mode netns: what the device answers its guest, now that it is known
 *               net_cmdline()    writes the words for the guest's kernel
 *               net_describe()   or the items for a container's init
 *               net_undo()       at the end, and in delete
 *
 * The state file has what a step is about to make (struct net_record) before the step, so that delete --force
 * works after a death between any two steps. Undo tolerates what is missing. It never removes a TAP: a TAP goes
 * with its last fd, and one that existed before stays. A network namespace made for a VM goes with the TAP's fd
 * too, with all that is inside. So undo removes by name only the host's end of a veth, a macvtap, nftables
 * tables, an ingress qdisc.
 */
#ifndef VMRUN_RUNTIME_NET_NET_H
#define VMRUN_RUNTIME_NET_NET_H

#include "runtime/net/cmdline.h"
#include "runtime/net/describe.h"
#include "runtime/net/lease.h"
#include "runtime/net/look.h"
#include "runtime/net/mode_netns.h"
#include "runtime/net/names.h"
#include "runtime/net/record.h"
#include "runtime/net/sysctl.h"
#include "runtime/netlink/netns.h"
#include "runtime/netlink/tap.h"
#include "runtime/plan/plan.h"

/**
 * net_plan() - Choose the names and addresses to record before anything is made
 * @device:	Name of its process
 * @ret:	Untouched on failure
 *
 * Asks the host which names are free. An inherited TAP (fd mode) is vmrun's from here on: it becomes
 * close-on-exec.
 */
MUST_CHECK int net_plan(const struct plan_net *p, const char *id, const char *device,
			struct net_record *ret, struct err *err);

/**
 * net_setup() - Make what @record records; on failure undo all of it
 * @record:	Its MTU, TAP's name and network are filled in
 * @ret:	The TAP, which the caller closes with tap_close(); without fds in mode none
 *
 * Context: the supervisor, before anything is spawned; it has one thread and keeps its namespace.
 */
MUST_CHECK int net_setup(const struct plan_net *p, struct net_record *record, struct tap *ret,
			 struct err *err);

/**
 * net_fill_settings() - Complete the settings of network device @i in the plan, once it is set up
 * @record:	Those of the VM up to number @i
 * @tap:	As net_setup() left it, like record[i]
 */
void net_fill_settings(struct plan *p, unsigned int i, const struct net_record *record,
		       const struct tap *tap);

/** net_undo() - Remove all that is left, at whatever step set-up ended; an error names what stays */
MUST_CHECK int net_undo(const struct net_record *record, struct err *err);

#endif

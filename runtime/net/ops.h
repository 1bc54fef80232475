/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a mode of network devices is
 */
#ifndef VMRUN_RUNTIME_NET_OPS_H
#define VMRUN_RUNTIME_NET_OPS_H

#include "runtime/net/made.h"
#include "runtime/netlink/tap.h"

/**
 * struct net_ops - One mode
 * @plan:	Beyond what is common; NULL when there is nothing
 * @setup:	In the host's namespace, where it returns to. May leave a part behind on failure: @undo is
 *		called then, and the TAP closed. Clears a name that is already in use, so that undo leaves it alone
 * @undo:	NULL when nothing of it outlives the TAP's fd
 */
struct net_ops {
	int (*plan)(const struct plan_net *p, const char *id, struct net_made *made,
		    struct err *err);
	int (*setup)(const struct plan_net *p, struct net_made *made, struct tap *ret,
		     struct err *err);
	int (*undo)(const struct net_made *made, struct err *err);
};

extern const struct net_ops net_private_ops, net_tap_ops, net_bridge_ops, net_netns_ops,
	net_macvtap_ops, net_fd_ops, net_none_ops;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What each mode of network devices does
 */
#ifndef VMRUN_RUNTIME_NET_OPS_H
#define VMRUN_RUNTIME_NET_OPS_H

#include "runtime/net/record.h"
#include "runtime/netlink/tap.h"

/**
 * struct net_ops - One mode
 * @plan:	Chooses the names and addresses of this mode; NULL if it has none
 * @setup:	Called, and returns, in the host's namespace. May leave a part behind on failure: the caller
 *		closes the TAP and calls @undo. Clears a name that is already in use, so that undo leaves it alone
 * @undo:	NULL if nothing outlives the TAP's fd
 */
struct net_ops {
	int (*plan)(const struct plan_net *p, const char *id, struct net_record *record,
		    struct err *err);
	int (*setup)(const struct plan_net *p, struct net_record *record, struct tap *ret,
		     struct err *err);
	int (*undo)(const struct net_record *record, struct err *err);
};

extern const struct net_ops net_private_ops, net_tap_ops, net_bridge_ops, net_netns_ops,
	net_macvtap_ops, net_fd_ops, net_none_ops;

#endif

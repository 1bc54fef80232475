/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/mode.h"

const struct net_ops *net_ops(enum net_mode m)
{
	static const struct net_ops *const all[NET_MODES] = {
		[NET_MODE_PRIVATE] = &net_private_ops, [NET_MODE_TAP] = &net_tap_ops,
		[NET_MODE_BRIDGE] = &net_bridge_ops,   [NET_MODE_NETNS] = &net_netns_ops,
		[NET_MODE_MACVTAP] = &net_macvtap_ops, [NET_MODE_FD] = &net_fd_ops,
		[NET_MODE_NONE] = &net_none_ops,
	};

	vr_assert((unsigned int)m < NET_MODES);
	return all[m];
}

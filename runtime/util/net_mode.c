/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/net_mode.h"

#include <errno.h>
#include <string.h>

const char *const net_mode_names[] = {
	[NET_MODE_PRIVATE] = "private", [NET_MODE_TAP] = "tap",
	[NET_MODE_BRIDGE] = "bridge",	[NET_MODE_NETNS] = "netns",
	[NET_MODE_MACVTAP] = "macvtap", [NET_MODE_FD] = "fd",
	[NET_MODE_NONE] = "none",	[NET_MODES] = NULL,
};

int net_mode_parse(const char *name, enum net_mode *ret)
{
	for (unsigned int i = 0; i < NET_MODES; i++)
		if (!strcmp(net_mode_names[i], name)) {
			*ret = (enum net_mode)i;
			return 0;
		}
	return -EINVAL;
}

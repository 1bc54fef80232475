/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The modes of network devices, and their names
 */
#ifndef VMRUN_RUNTIME_UTIL_NET_MODE_H
#define VMRUN_RUNTIME_UTIL_NET_MODE_H

#include "devices/core/base.h"

#define NET_MTU_MIN 68    /* virtio 1.3 section 5.1.4.1, and IPv4's own */
#define NET_MTU_MAX 65521 /* the most of a TAP: 65535 less the Ethernet header */

/**
 * enum net_mode - How a network device reaches the host; runtime/net/README.md's table
 */
enum net_mode {
	NET_MODE_PRIVATE, /* a namespace of its own with the TAP, a veth to the host */
	NET_MODE_TAP,	  /* a TAP in the host's namespace */
	NET_MODE_BRIDGE,  /* a TAP in the host's namespace, port of a bridge */
	NET_MODE_NETNS,	  /* the interfaces with addresses of a given namespace, joined by tc */
	NET_MODE_MACVTAP, /* a macvtap on a host interface */
	NET_MODE_FD,	  /* a TAP that the caller opened */
	NET_MODE_NONE,	  /* a device without a link */
	NET_MODES,
};

extern const char *const net_mode_names[]; /* by enum net_mode, NULL-terminated */

/** net_mode_parse() - Find the mode of that name; 0 or -EINVAL */
MUST_CHECK int net_mode_parse(const char *name, enum net_mode *ret);

#endif

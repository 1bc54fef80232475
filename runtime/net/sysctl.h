/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the kernel of the host forwards and says by itself: /proc/sys/net
 *
 * Syscalls of all: openat pread pwrite write
 */
#ifndef VMRUN_RUNTIME_NET_SYSCTL_H
#define VMRUN_RUNTIME_NET_SYSCTL_H

#include "devices/core/err.h"

/** net_ipv6_off() - Keep IPv6 of this namespace off interface @name; "default" = those to come. Best effort */
void net_ipv6_off(const char *name);
/** net_forwarding_off() - Have the host forward nothing by IPv4 of what comes in there; what fails is no matter */
void net_forwarding_off(const char *name);

/** net_host_forwards() - Whether the host forwards packets of any kind, or will on interfaces to come */
bool net_host_forwards(void);

/**
 * net_forwarding_on() - Let the host's kernel forward IPv4, which masquerading needs
 *
 * It stays switched on: others may have come to rely on it when the VM ends.
 * Return: 1 when it was off, 0 when it was on, or -errno
 */
MUST_CHECK int net_forwarding_on(struct err *err);

#endif

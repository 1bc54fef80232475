/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Settings of a network namespace: IPv6 and forwarding, in /proc/sys/net
 *
 * Syscalls of all: openat pread pwrite write
 */
#ifndef VMRUN_RUNTIME_NET_SYSCTL_H
#define VMRUN_RUNTIME_NET_SYSCTL_H

#include "devices/core/err.h"

/** net_ipv6_off() - Switch IPv6 off on interface @name; "default" = future ones. Best effort */
void net_ipv6_off(const char *name);
/** net_forwarding_off() - Forward no IPv4 packet that enters by interface @name. Best effort */
void net_forwarding_off(const char *name);

/** net_host_forwards() - Whether the host forwards IPv4 or IPv6, or will on future interfaces */
bool net_host_forwards(void);

/**
 * net_forwarding_on() - Make the host forward IPv4, which masquerading needs
 *
 * It stays on: others may rely on it when the VM ends.
 * Return: 1 when it was off, 0 when it was on, or -errno
 */
MUST_CHECK int net_forwarding_on(struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network devices of a plan
 *
 * Fds of the device from BOOT_FD_RES on: a TAP per queue pair, then with the kernel's back-end a
 * /dev/vhost-net per queue pair. In mode none there are none.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_NET_H
#define VMRUN_RUNTIME_PLAN_PLAN_NET_H

#include "runtime/plan/plan_device.h"

/**
 * plan_net_add_all() - Add the network devices: listed, implied, and added for interfaces (plan_build())
 *
 * bundle_net_check() has accepted the listed ones.
 * Context: setup
 * Syscalls: none but the heap's
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int plan_net_add_all(struct plan_build *bd);

/** plan_net_free() - Free the members that @n owns */
void plan_net_free(struct plan_net *n);

#endif

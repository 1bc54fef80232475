/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mount points, the names in /dev and of other nodes, and the working directory, that a container's read-only root lacks
 *
 * The device that shares such a root writes nothing to it, so the guest cannot make them. As with other runtimes they are made
 * in the bundle's root itself, before it is shared, and stay there.
 */
#ifndef VMRUN_RUNTIME_HOST_MOUNT_POINTS_H
#define VMRUN_RUNTIME_HOST_MOUNT_POINTS_H

#include "runtime/plan/plan_types.h"

/**
 * mount_points_make() - Make those that are missing
 *
 * The root's files are not trusted: no link leads out of it. What cannot be made, the guest misses, and says so.
 * Syscalls: openat2 openat mkdirat symlinkat readlinkat close
 */
void mount_points_make(const struct plan *p);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Leaving the cgroups of a VM, and removing them
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_END_H
#define VMRUN_RUNTIME_HOST_CGROUP_END_H

#include "runtime/host/cgroup_mounts.h"

/**
 * cgroup_leave() - Move the calling process out, to the root of each hierarchy or where it came from
 *
 * Syscalls: openat write close
 */
void cgroup_leave(const struct cgroup *c);

/**
 * cgroup_remove() - Remove directories of a VM whose processes have been killed, children first
 *
 * Only what is on a cgroup file system and has the identity on file, and of that only what no other VM
 * holds. Empty groups that others made below the leaf go with it; parents go when nothing else uses them.
 * Waits a moment for processes that are still dying, not for those that live.
 * Return: 0, or -EBUSY naming what is in the way
 */
MUST_CHECK int cgroup_remove(const struct plan_cgroup_dir *dir, unsigned int nr, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Leaving the cgroups of a VM, and removing them
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_END_H
#define VMRUN_RUNTIME_HOST_CGROUP_END_H

#include "runtime/host/cgroup_mounts.h"

/**
 * cgroup_leave() - Move the calling process to the root of each hierarchy, or back to its own group
 *
 * Syscalls: openat write close
 */
void cgroup_leave(const struct cgroup *c);

/**
 * cgroup_remove() - Remove the directories of a VM whose processes have been killed, children first
 *
 * A directory must be on a cgroup file system, have the identity on file, and not be held by another VM.
 * Empty groups that others made below the leaf go with it; parents go if nothing else uses them. Waits a
 * moment for dying processes, but not for living ones.
 * Return: 0, or -EBUSY and an error that names the obstacle
 */
MUST_CHECK int cgroup_remove(const struct plan_cgroup_dir *dir, unsigned int nr, struct err *err);

#endif

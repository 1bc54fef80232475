/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frozen groups
 *
 * A process that enters a frozen group stops. v2 has cgroup.freeze in every group, v1 has a controller for it.
 * A process frozen by v2 can be killed; one frozen by v1 must leave its group first.
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_FREEZE_H
#define VMRUN_RUNTIME_HOST_CGROUP_FREEZE_H

#include "runtime/host/cgroup_mounts.h"

/** cgroup_dir_frozen() - Whether the cgroup @dir, or for v1 one above it, is frozen */
bool cgroup_dir_frozen(int dir);

/** cgroup_freezer_frozen() - Whether the leaf's path is frozen in the hierarchy of v1's freezer */
bool cgroup_freezer_frozen(const struct cgroup *c);

/** cgroup_frozen() - Whether the group of process @pid is frozen */
bool cgroup_frozen(pid_t pid);

/**
 * cgroup_thaw() - Let a process run that will be killed
 *
 * A process in v1's freezer does not even die. It moves to the freezer's root; its group stays frozen.
 */
void cgroup_thaw(pid_t pid);

#endif

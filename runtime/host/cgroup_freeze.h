/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Groups that stand still
 *
 * A process that enters a frozen group never gets anywhere. v2 has cgroup.freeze in every group, v1 a
 * controller of its own. Out of v2's a process can be killed, out of v1's it has to be moved first.
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_FREEZE_H
#define VMRUN_RUNTIME_HOST_CGROUP_FREEZE_H

#include "runtime/host/cgroup_mounts.h"

/** cgroup_dir_frozen() - Whether the cgroup @dir, or for v1 one above it, is frozen */
bool cgroup_dir_frozen(int dir);

/** cgroup_freezer_frozen() - Whether the leaf's place in the freezer's own hierarchy is frozen */
bool cgroup_freezer_frozen(const struct cgroup *c);

/** cgroup_frozen() - Whether process @pid stands still because its group is frozen */
bool cgroup_frozen(pid_t pid);

/**
 * cgroup_thaw() - Let a process that is to be killed run for that
 *
 * What v1's freezer holds does not even die. It is moved to the freezer's root; its group stays frozen.
 */
void cgroup_thaw(pid_t pid);

#endif

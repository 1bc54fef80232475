/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Control groups: v2, v1, both at once (hybrid), or none
 *
 * A VM has the same path in every hierarchy that matters: its leaf. All its processes are in the leaf,
 * because they inherit it from the supervisor.
 *
 * A path does not identify a cgroup. Two VMs may ask for one path, and another process may remove a directory
 * and make it again:
 *
 *   - The state file has the directories by path before they are made (cgroup_plan), and by device and inode
 *     before a process enters them (cgroup_make). cgroup_remove() compares. The kernel does not reuse an inode
 *     number.
 *   - The supervisor holds a lock (flock) on the leaf as long as it lives; the lock dies with it. A leaf is
 *     taken under that lock, when it is new or empty. Meanwhile the directories above are locked as shared, so
 *     that none of them is a leaf, becomes one or is removed.
 *   - New directories have mode 0711, so that only their owner can open, and lock, them.
 *   - Nothing here kills. The VM's processes are killed by pid and start time. A process in the leaf after
 *     that belongs to others: it stays, and the error names it.
 *
 * Without the right to make cgroups (rootless without delegation, read-only mounts) a VM without limits runs
 * where it was started. With a limit that is an error.
 *
 * This header includes all parts: cgroup_mounts.h has the hierarchies and struct cgroup, cgroup_limits.h
 * limits, cgroup_freeze.h frozen groups, cgroup_oom.h OOM kills, cgroup_end.h leaving and removing. The calls
 * below lead from the plan to a process in the leaf.
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_H
#define VMRUN_RUNTIME_HOST_CGROUP_H

#include <sys/types.h>

#include "runtime/host/cgroup_end.h"
#include "runtime/host/cgroup_freeze.h"
#include "runtime/host/cgroup_limits.h"
#include "runtime/host/cgroup_mounts.h"
#include "runtime/host/cgroup_oom.h"

/**
 * cgroup_plan() - Find the hierarchies, and list the directories to make
 * @ret:	The caller's to cgroup_done(); empty on failure
 *
 * Context: setup
 * Syscalls: openat read close access statx
 */
MUST_CHECK int cgroup_plan(const struct plan_cgroup *plan, struct cgroup *ret, struct err *err);

/**
 * cgroup_make() - Make the directories and take the leaf
 * @c:		Its directories get their identity
 *
 * Limits are the caller's next call, cgroup_limit().
 * Return: 0; -EBUSY if a group belongs to others or is frozen
 * Syscalls: mkdirat openat read write close flock fstat newfstatat getdents64 nanosleep
 */
MUST_CHECK int cgroup_make(struct cgroup *c, struct err *err);

/**
 * cgroup_fork() - fork() a child that starts in the leaf, where that is possible (v2)
 *
 * Moving a process costs a grace period of the kernel; starting there costs nothing. cgroup_enter() leaves
 * out the hierarchies in which the child started.
 * Context: one thread
 * Syscalls: clone3, fork
 * Return: as fork()
 */
MUST_CHECK pid_t cgroup_fork(struct cgroup *c);

/** cgroup_hand_over() - Leave the lock on the leaf to the child, but keep the leaf open */
void cgroup_hand_over(struct cgroup *c);

/**
 * cgroup_enter() - Move the calling process into the leaf
 *
 * Context: one thread.
 * Return: 0, also without the right to enter if there is no limit
 * Syscalls: openat write close
 */
MUST_CHECK int cgroup_enter(const struct cgroup *c, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Control groups: v2, v1, both at once (hybrid), or none
 *
 * A VM gets the same path in every hierarchy that matters, and all its processes sit in that leaf, by
 * inheritance from the supervisor.
 *
 * A path is no identity. Two VMs may ask for one path, and a directory may be removed and made again by others:
 *
 *   - Directories are on file, by path, before they are made (cgroup_plan), and by device and inode before a
 *     process enters them (cgroup_make). Whoever removes compares. The kernel uses no inode number twice.
 *   - The supervisor holds a lock (flock) on the leaf for as long as it lives; it dies with the supervisor.
 *     A leaf is taken under that lock, when it is new or empty. While it is made, the directories above are
 *     locked too, as shared: so none of them is a leaf, nor becomes one, nor is removed.
 *   - What is made has mode 0711, so that only its owner can open, and lock, it.
 *   - Nothing here kills. The VM's processes are killed by pid and start time, and what is in the leaf after
 *     that belongs to others: it stays, and is named.
 *
 * A host that does not let us (rootless without delegation, read-only mounts) is no error when no limit is
 * asked for: the VM runs where it was started. With a limit it is.
 *
 * This header has all of it: cgroup_mounts.h the hierarchies and struct cgroup, cgroup_limits.h limits,
 * cgroup_freeze.h groups that stand still, cgroup_oom.h memory that was not enough, cgroup_end.h leaving and
 * removing, and itself the way from the plan to a process in the leaf.
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
 * cgroup_plan() - Find out what is to be made
 * @ret:	Filled; the caller's to cgroup_done()
 *
 * Context: setup.  Syscalls: openat read close access statx
 */
MUST_CHECK int cgroup_plan(const struct plan_cgroup *plan, struct cgroup *ret, struct err *err);

/**
 * cgroup_make() - Make the directories and take the leaf; limits are cgroup_limit()'s
 * @c:		Its directories get their identity
 *
 * Return: 0; -EBUSY when others are in the way, or a group is frozen
 * Syscalls: mkdirat openat read write close flock fstat newfstatat getdents64 nanosleep
 */
MUST_CHECK int cgroup_make(struct cgroup *c, struct err *err);

/**
 * cgroup_fork() - fork(), with the child born in the leaf where that is possible (v2)
 *
 * Moving a process costs a grace period of the kernel, being born there nothing. Hierarchies in which
 * the child was born are left out by cgroup_enter() from then on.
 * Context: one thread.  Syscalls: clone3, fork
 * Return: as fork()
 */
MUST_CHECK pid_t cgroup_fork(struct cgroup *c);

/** cgroup_hand_over() - The leaf is the child's alone from here on: look at it, do not hold it */
void cgroup_hand_over(struct cgroup *c);

/**
 * cgroup_enter() - Move the calling process in; it has one thread
 *
 * Return: 0, also where it may not enter and no limit is asked for
 * Syscalls: openat write close
 */
MUST_CHECK int cgroup_enter(const struct cgroup *c, struct err *err);

#endif

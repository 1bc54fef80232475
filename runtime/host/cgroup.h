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
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_H
#define VMRUN_RUNTIME_HOST_CGROUP_H

#include <limits.h>
#include <sys/types.h>

#include "devices/core/err.h"
#include "runtime/plan/plan.h"

#define CGROUP_MOUNTS_MAX 8
#define CGROUP_DIRS_MAX	  48

/**
 * struct cgroup_mount - One hierarchy
 * @path:	Where it is mounted; owned
 * @controllers: Of a v1 hierarchy, "," around each: ",cpu,cpuacct,"; empty for v2
 * @writable, @whole: Not read-only; all of the hierarchy and not a part of it
 * @leaf:	The leaf, open and locked; -1: it cannot be had
 * @inside:	Whether the supervisor was born in it, and so its children will be
 */
struct cgroup_mount {
	char *path;
	char controllers[128];
	bool v2;
	bool writable, whole;
	int leaf;
	bool inside;
};

/**
 * struct cgroup - The hierarchies of this host and the directories of one VM
 * @freezer:	Where v1's freezer is mounted alone; owned, NULL: nowhere
 * @dir:	Directories of the VM, absolute, parents first; owned
 * @leaf:	Path of the leaf below each mount
 * @origin:	Path of the caller's own group below v2's mount; empty: unknown
 * @failure:	Why the leaf cannot be had in some hierarchy
 * @memory_max_bytes: The limit, for messages; -1: none
 * @oom_before:	OOM kills that a leaf which was there before had seen
 */
struct cgroup {
	unsigned int nr_mounts;
	struct cgroup_mount mount[CGROUP_MOUNTS_MAX];
	char *freezer;
	unsigned int nr_dirs;
	struct plan_cgroup_dir dir[CGROUP_DIRS_MAX];
	char leaf[PATH_MAX];
	char origin[PATH_MAX];
	struct err failure;
	int64_t memory_max_bytes;
	uint64_t oom_before;
	bool limited;
};

/**
 * cgroup_parse_mounts() - Find the hierarchies in the text of /proc/self/mountinfo
 * @mountinfo:	Is taken apart
 * @cpuset:	Whether cpuset's is wanted
 * @visible:	Whether the mount with that number is the one that its path leads to; NULL: all are
 *
 * Of several mounts of one hierarchy the first of the best is taken: writable, then whole. Hierarchies
 * whose controllers nobody reads or limits here (devices, net_cls, named ones) are left out: entering each
 * costs a grace period of the kernel.
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int cgroup_parse_mounts(char *mountinfo, bool cpuset,
				   bool (*visible)(const char *path, uint64_t id),
				   struct cgroup *ret);

/**
 * cgroup_plan() - Find out what is to be made
 * @ret:	Filled; the caller's to cgroup_done()
 *
 * Context: setup.  Syscalls: openat read close access statx
 */
MUST_CHECK int cgroup_plan(const struct plan_cgroup *plan, struct cgroup *ret, struct err *err);

/** cgroup_done() - Free what is owned, and let go of the leaf */
void cgroup_done(struct cgroup *c);

/**
 * cgroup_make() - Make the directories, take the leaf, set the limits
 * @c:		Its directories get their identity
 *
 * Return: 0; -EBUSY when others are in the way, or a group is frozen; -EINVAL for a limit that cannot be
 * had, with its JSON pointer
 * Syscalls: mkdirat openat read write close flock fstat newfstatat getdents64 nanosleep
 */
MUST_CHECK int cgroup_make(struct cgroup *c, const struct plan_cgroup *plan, struct err *err);

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

/** cgroup_oom_kills() - How many of the VM's processes were killed for want of memory */
uint64_t cgroup_oom_kills(const struct cgroup *c);

/** cgroup_describe_oom() - " (out of memory: ...)" and what to do; false, and "", without such a kill */
bool cgroup_describe_oom(const struct cgroup *c, char *ret, size_t size);

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

/** cgroup_frozen() - Whether process @pid stands still because its group is frozen */
bool cgroup_frozen(pid_t pid);

/**
 * cgroup_thaw() - Let a process that is to be killed run for that
 *
 * What v1's freezer holds does not even die. It is moved to the freezer's root; its group stays frozen.
 */
void cgroup_thaw(pid_t pid);

/** cgroup_shares_to_weight() - cpu.shares (2 to 262144) as cpu.weight (1 to 10000) */
uint64_t cgroup_shares_to_weight(uint64_t shares);

/**
 * cgroup_same_list() - Whether two lists of numbers name the same ones ("0, 1" and "0-1")
 *
 * The kernel's syntax but for its words: "0-3,7", "0-31:2/8", blanks between. False when one is no list.
 */
bool cgroup_same_list(const char *a, const char *b);

#endif

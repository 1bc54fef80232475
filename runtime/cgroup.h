/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Control groups: v2, v1, both at once (hybrid), or none
 *
 * A VM gets the same path in every hierarchy that matters. All its processes sit in that leaf, by
 * inheritance from the supervisor. What was made is known before it is made (cgroup_plan), so that the state file can say so and delete can clean up.
 *
 * A host that does not let us (rootless without delegation, read-only mounts) is no error: the VM runs
 * where it was started, with a warning when limits were asked for.
 */
#ifndef VMRUN_RUNTIME_CGROUP_H
#define VMRUN_RUNTIME_CGROUP_H

#include <sys/types.h>

#include "devices/core/err.h"
#include "runtime/plan.h"

#define CGROUP_MOUNTS_MAX 16
#define CGROUP_DIRS_MAX   48

/**
 * struct cgroup_mount - One hierarchy
 * @path:	Where it is mounted
 * @controllers: Of a v1 hierarchy, "," around each: ",cpu,cpuacct,"; empty for v2
 * @usable:	Whether the leaf is there
 * @inside:	Whether the supervisor was born in it, and so its children will be
 */
struct cgroup_mount {
	char path[160];
	char controllers[64];
	bool v2;
	bool usable;
	bool inside;
};

/**
 * struct cgroup - The hierarchies of this host and the directories of one VM
 * @dir:	Directories to be made, absolute, parents first; owned
 */
struct cgroup {
	unsigned int nr_mounts;
	struct cgroup_mount mount[CGROUP_MOUNTS_MAX];
	unsigned int nr_dirs;
	char *dir[CGROUP_DIRS_MAX];
	char leaf[PLAN_PATH_MAX];
};

/**
 * cgroup_parse_mounts() - Find the hierarchies in the text of /proc/self/mountinfo
 *
 * Hierarchies whose controllers nobody reads or limits here (devices, net_cls, named ones) are left out:
 * entering each costs a grace period of the kernel.
 */
void cgroup_parse_mounts(const char *mountinfo, struct cgroup *ret);

/**
 * cgroup_plan() - Find out what is to be made
 * @ret:	Filled; the caller's to cgroup_done()
 *
 * Context: setup.  Syscalls: openat read close access
 */
MUST_CHECK int cgroup_plan(const struct plan_cgroup *plan, struct cgroup *ret, struct err *err);
void cgroup_done(struct cgroup *c);

/**
 * cgroup_make() - Make the directories and set the limits
 * @warn:	Called with a line for each limit that cannot be set
 *
 * Syscalls: mkdir openat write close
 */
void cgroup_make(struct cgroup *c, const struct plan_cgroup *plan,
		 void (*warn)(void *arg, const char *text), void *arg);

/**
 * cgroup_fork() - fork(), with the child born in the leaf where that is possible (v2)
 *
 * Moving a process costs a grace period of the kernel, being born there nothing. Hierarchies in which
 * the child was born are left out by cgroup_enter() from then on.
 * Context: one thread.  Syscalls: openat clone3 close, fork
 * Return: as fork()
 */
MUST_CHECK pid_t cgroup_fork(struct cgroup *c);

/** cgroup_enter() - Move the calling process in; it has one thread.  Syscalls: openat write close */
void cgroup_enter(const struct cgroup *c);

/**
 * cgroup_leave() - Move the calling process out, to the root of each hierarchy
 * @dirs:	As for cgroup_remove()
 *
 * Syscalls: access openat write close
 */
void cgroup_leave(char *const *dirs, unsigned int nr);

/** cgroup_kill() - Kill whoever is still in one of our directories */
void cgroup_kill(char *const *dirs, unsigned int nr);

/**
 * cgroup_remove() - Remove directories made by cgroup_make(), children first
 *
 * Parents that others use meanwhile stay. Waits a moment for processes that are still dying.
 * Return: 0, or -EBUSY with the directory in the message
 */
MUST_CHECK int cgroup_remove(char *const *dirs, unsigned int nr, struct err *err);

/** cgroup_shares_to_weight() - cpu.shares (2 to 262144) as cpu.weight (1 to 10000) */
uint64_t cgroup_shares_to_weight(uint64_t shares);

#endif

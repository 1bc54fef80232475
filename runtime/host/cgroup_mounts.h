/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The hierarchies of this host
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_MOUNTS_H
#define VMRUN_RUNTIME_HOST_CGROUP_MOUNTS_H

#include <limits.h>

#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

#define CGROUP_MOUNTS_MAX 8

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
	struct plan_cgroup_dir dir[PLAN_CGROUP_DIRS_MAX];
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

/** cgroup_find() - Fill in the hierarchies; as cgroup_parse_mounts() */
MUST_CHECK int cgroup_find(bool cpuset, struct cgroup *ret);

/** cgroup_has_controller() - Whether a v1 hierarchy is the one of controller @name */
bool cgroup_has_controller(const struct cgroup_mount *m, const char *name);

/** cgroup_done() - Free what is owned, and let go of the leaf */
void cgroup_done(struct cgroup *c);

/* struct cgroup, zeroed when it owns nothing */
#define cleanup_cgroup __attribute__((cleanup(cgroup_done)))

#endif

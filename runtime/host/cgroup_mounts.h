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
 * @writable, @whole: It is not read-only; it shows the whole hierarchy
 * @leaf:	The leaf, open and locked; -1: not available
 * @inside:	The supervisor started in it, and so will its children
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
 * @freezer:	Mount of v1's freezer if no other controller is with it; owned, or NULL
 * @dir:	Directories of the VM, absolute, parents first; owned
 * @leaf:	Path of the leaf below each mount
 * @origin:	Path of the caller's own group below v2's mount; empty: unknown
 * @failure:	Why the leaf is not available in some hierarchy
 * @memory_max_bytes: The limit, for messages; -1: none
 * @oom_before:	OOM kills in the leaf before this VM
 * @limited:	The plan has a limit
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
 * @mountinfo:	Modified
 * @cpuset:	Include the hierarchy of cpuset
 * @visible:	Tells whether @path leads to the mount @id; NULL: all paths do
 *
 * Of several mounts of one hierarchy the first of the best is taken: writable, then whole. Hierarchies with
 * no controller that is read or limited here (devices, net_cls, named ones) are left out: entering each costs
 * a grace period of the kernel.
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int cgroup_parse_mounts(char *mountinfo, bool cpuset,
				   bool (*visible)(const char *path, uint64_t id),
				   struct cgroup *ret);

/** cgroup_find() - Find the hierarchies of this host; as cgroup_parse_mounts() */
MUST_CHECK int cgroup_find(bool cpuset, struct cgroup *ret);

/** cgroup_has_controller() - Whether controller @name is in the v1 hierarchy @m */
bool cgroup_has_controller(const struct cgroup_mount *m, const char *name);

/** cgroup_done() - Free what @c owns, and release its leaves */
void cgroup_done(struct cgroup *c);

/* struct cgroup, zeroed when it owns nothing */
#define cleanup_cgroup __attribute__((cleanup(cgroup_done)))

#endif

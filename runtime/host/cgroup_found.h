/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The cgroups of a VM that exists, found by its record: its processes, what they use, new limits
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_FOUND_H
#define VMRUN_RUNTIME_HOST_CGROUP_FOUND_H

#include <sys/types.h>

#include "runtime/host/cgroup_mounts.h"

#define CGROUP_STAT_BYTES 8192

/**
 * cgroup_found() - Open the leaves that are on record, if they are still the same directories
 * @dir:	@nr of them, as the state file has them
 * @ret:	The caller's to cgroup_done(); without a leaf in a hierarchy where there is none
 *
 * Not locked: that lock is the supervisor's.
 * Context: setup
 * Syscalls: openat read close statx fstat
 */
MUST_CHECK int cgroup_found(const struct plan_cgroup_dir *dir, unsigned int nr, struct cgroup *ret,
			    struct err *err);

/**
 * cgroup_found_pids() - List the processes in it
 * @ret:	The caller's to free(); untouched on failure
 *
 * Syscalls: openat read close
 * Return: how many; -ENOENT when the VM has no cgroup
 */
MUST_CHECK int cgroup_found_pids(const struct cgroup *c, pid_t **ret);

/**
 * struct cgroup_stats - What a VM uses; 0 where the kernel does not say
 * @memory_limit, @swap_limit, @pids_limit: UINT64_MAX: none
 * @swap:	Memory and swap together, as v1 counts
 * @memory_failures: How often the limit was hit
 * @memory_stat: The kernel's own list, lines "KEY NUMBER"
 */
struct cgroup_stats {
	uint64_t cpu_ns, cpu_user_ns, cpu_kernel_ns;
	uint64_t periods, throttled_periods, throttled_ns;
	uint64_t memory, memory_limit, memory_max, memory_failures, cache;
	uint64_t swap, swap_limit;
	uint64_t pids, pids_limit;
	uint64_t oom_kills;
	char memory_stat[CGROUP_STAT_BYTES];
};

/** cgroup_found_stats() - Read them.  Syscalls: openat read close */
void cgroup_found_stats(const struct cgroup *c, struct cgroup_stats *ret);

#endif

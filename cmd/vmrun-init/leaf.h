/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The container's cgroup: how many processes it may have, and what it lost for lack of memory
 */
#ifndef VMRUN_CMD_VMRUN_INIT_LEAF_H
#define VMRUN_CMD_VMRUN_INIT_LEAF_H

#include <sys/types.h>

#include "devices/core/base.h"

#define LEAF_NAME "/container" /* below the root of all */

/** leaf_pids() - Set the limit; 0: none. @cgroup -1: no effect. Return: 0 or -errno */
MUST_CHECK int leaf_pids(int cgroup, uint64_t max);

/** leaf_of() - The cgroup that @pid is in, at or below the container's @cgroup. Return: its directory's fd or -errno */
MUST_CHECK int leaf_of(int cgroup, pid_t pid);

/** leaf_oom_kills() - How many of its processes the kernel has killed for lack of memory; 0 where nothing counts them */
uint64_t leaf_oom_kills(int cgroup);

#endif

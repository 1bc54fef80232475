/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Limits: OCI's numbers as the files of v1 and v2
 *
 * Each is written to the hierarchy that has its controller, and read back: the kernel accepts some values
 * without applying them. A limit that does not hold makes create fail.
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_LIMITS_H
#define VMRUN_RUNTIME_HOST_CGROUP_LIMITS_H

#include "runtime/host/cgroup_mounts.h"

/**
 * cgroup_limit() - Set the limits of the leaves that cgroup_make() took, and read them back
 *
 * Return: 0, also for a plan without limits; -errno with the JSON pointer of a limit that does not hold
 * Syscalls: openat read write close
 */
MUST_CHECK int cgroup_limit(const struct cgroup *c, const struct plan_cgroup *plan,
			    struct err *err);

/** cgroup_is_limited() - Whether the plan asks for a limit */
bool cgroup_is_limited(const struct plan_cgroup *plan);

/** cgroup_shares_to_weight() - Convert cpu.shares (2 to 262144) to cpu.weight (1 to 10000) */
uint64_t cgroup_shares_to_weight(uint64_t shares);

/**
 * cgroup_same_list() - Whether two lists hold the same numbers ("0, 1" and "0-1")
 *
 * In the kernel's syntax without its words: "0-3,7", "0-31:2/8", with blanks. False if one is not a list.
 */
bool cgroup_same_list(const char *a, const char *b);

#endif

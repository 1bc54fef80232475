/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Numbers for the limits of control groups
 */
#ifndef VMRUN_RUNTIME_UTIL_LIMITS_H
#define VMRUN_RUNTIME_UTIL_LIMITS_H

/** enum resource_limit - The limits under /linux/resources, in the order of setting them */
enum resource_limit {
	LIMIT_MEMORY,
	LIMIT_MEMORY_LOW,
	LIMIT_MEMORY_SWAP, /* memory and swap together, as in v1 */
	LIMIT_MEMORY_KERNEL,
	LIMIT_MEMORY_TCP,
	LIMIT_SWAPPINESS,
	LIMIT_NO_OOM_KILLER, /* 1 */
	LIMIT_HIERARCHY,     /* 1 */
	LIMIT_CPU_SHARES,
	LIMIT_CPU_PERIOD,
	LIMIT_CPU_QUOTA,
	LIMIT_CPU_BURST,
	LIMIT_RT_PERIOD,
	LIMIT_RT_RUNTIME,
	LIMIT_CPU_IDLE,
	LIMIT_PIDS,
	LIMITS,
};

#endif

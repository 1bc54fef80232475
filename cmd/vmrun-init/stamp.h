/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VMRUN_CMD_VMRUN_INIT_STAMP_H
#define VMRUN_CMD_VMRUN_INIT_STAMP_H

#include <stdint.h>
#include <time.h>

/** stamp_us() - The time as AGENT_HELLO and AGENT_STARTED say it */
static inline uint32_t stamp_us(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)((uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Times: monotonic for measuring, RFC 3339 for people and files
 */
#ifndef VMRUN_RUNTIME_UTIL_CLOCK_H
#define VMRUN_RUNTIME_UTIL_CLOCK_H

#include "devices/core/base.h"

#define CLOCK_TEXT_BYTES 40
#define CLOCK_PHASES_MAX 128

/** clock_ns() - Read CLOCK_MONOTONIC.  Syscalls: none (vDSO) */
uint64_t clock_ns(void);

/**
 * clock_rfc3339() - Format the time of day in UTC, "2026-01-02T03:04:05.123456789Z"
 * @digits:	Of the second's fraction, 0 to 9
 */
void clock_rfc3339(char ret[CLOCK_TEXT_BYTES], unsigned int digits);

/** struct phase - Phase @name ended at @ns of CLOCK_MONOTONIC */
struct phase {
	char name[40];
	uint64_t ns;
};

/**
 * struct phases - The phases of a start and their ends, for `vmrun --debug run`
 * @start_ns:	When the first one began
 *
 * A full table drops further phases.
 */
struct phases {
	uint64_t start_ns;
	unsigned int nr;
	struct phase item[CLOCK_PHASES_MAX];
};

/** phases_mark() - Note that phase @name ends now; @p may be NULL */
void phases_mark(struct phases *p, const char *name);

/** phases_add() - Note that phase "@prefix @name" ended at @ns; @p may be NULL */
void phases_add(struct phases *p, const char *prefix, const char *name, uint64_t ns);

/** phases_print() - Print the phases to @fd by time, each with the time since the one before */
void phases_print(struct phases *p, int fd);

#endif

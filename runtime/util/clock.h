/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Times: monotonic for measuring, RFC 3339 for people and files
 */
#ifndef VMRUN_RUNTIME_UTIL_CLOCK_H
#define VMRUN_RUNTIME_UTIL_CLOCK_H

#include "devices/core/base.h"

#define CLOCK_TEXT_BYTES 40
#define CLOCK_PHASES_MAX 128

/** clock_ns() - CLOCK_MONOTONIC.  Syscalls: none (vDSO) */
uint64_t clock_ns(void);

/**
 * clock_rfc3339() - The time of day in UTC, "2026-01-02T03:04:05.123456789Z"
 * @digits:	Of the second's fraction, 0 to 9
 */
void clock_rfc3339(char ret[CLOCK_TEXT_BYTES], unsigned int digits);

/** struct phase - @name was over at @ns of CLOCK_MONOTONIC */
struct phase {
	char name[40];
	uint64_t ns;
};

/**
 * struct phases - When what was over, for `vmrun --debug run`
 * @start_ns:	Where to count from
 *
 * A full table drops what comes.
 */
struct phases {
	uint64_t start_ns;
	unsigned int nr;
	struct phase item[CLOCK_PHASES_MAX];
};

/** phases_mark() - "@name is over now"; NULL @p is allowed */
void phases_mark(struct phases *p, const char *name);

/** phases_add() - As phases_mark(), at another time, "@prefix @name" */
void phases_add(struct phases *p, const char *prefix, const char *name, uint64_t ns);

/** phases_print() - In order of time, with the distance to the one before, on @fd */
void phases_print(struct phases *p, int fd);

#endif

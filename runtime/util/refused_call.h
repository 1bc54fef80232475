/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The system call for which its seccomp policy killed a process, as that process wrote it down
 *
 * devices/core/refused.h writes such a line; the process may be in enemy hands.
 */
#ifndef VMRUN_RUNTIME_UTIL_REFUSED_CALL_H
#define VMRUN_RUNTIME_UTIL_REFUSED_CALL_H

#include "devices/core/base.h"
#include "devices/core/log.h"

#define REFUSED_CALL_BYTES 168

/** struct refused_call - @programs: how many filters were installed; the last one judged too */
struct refused_call {
	unsigned int programs;
	unsigned int nr;
	uint64_t arg[LOG_REFUSED_ARGS];
};

/** refused_call_parse() - Read "S PROGRAMS NUMBER ARGUMENT..."; false, with @ret untouched, when @said is another line */
MUST_CHECK bool refused_call_parse(const char *said, struct refused_call *ret);

/**
 * refused_call_describe() - Put it into words: "socket(0x1, 0x80001, 0x0, 0x0, 0x0, 0x0)"
 * @ret:	REFUSED_CALL_BYTES hold any
 */
void refused_call_describe(const struct refused_call *c, char *ret, size_t size);

#endif

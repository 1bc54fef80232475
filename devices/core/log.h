/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Logs of the jailed programs
 *
 * One line, one write(2) of at most LOG_LINE_BYTES, to an fd the program inherited. A line is
 * "<L> <text>\n" with L one of E W I D; the supervisor knows whose fd it reads and turns lines into
 * the --log text or JSON. It reads no more than its budget allows (runtime/jail/spawned.h), and then the fd, a
 * pipe, is full for a while. Only programs and loops log; leaf code fills a struct err.
 */
#ifndef VMRUN_DEVICES_CORE_LOG_H
#define VMRUN_DEVICES_CORE_LOG_H

#include "devices/core/base.h"

#define LOG_REFUSED_ARGS   6
#define LOG_REFUSED_LETTER 'S' /* "S PROGRAMS NUMBER ARGUMENT...", all hexadecimal */

#define LOG_LINE_BYTES	   512

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/**
 * struct log_limit - A budget for one call site that a guest can trigger
 * @window_start_ns:	CLOCK_MONOTONIC time of the current window's start
 * @in_window:		Lines let through in it
 * @dropped:		Lines withheld since the last one let through
 *
 * Zero-initialised: 5 lines per 10 seconds. The next line let through says how many were dropped.
 */
struct log_limit {
	uint64_t window_start_ns;
	uint32_t in_window;
	uint32_t dropped;
};

/**
 * log_init() - Set where lines go and which are kept
 * @fd:		Borrowed for the life of the process; -1 drops everything
 * @max:	Lines above this level are dropped
 *
 * An fd above 2 is the process's own log, most often a pipe: it becomes non-blocking and SIGPIPE is
 * ignored, so that neither a full nor a closed one stops the program. Fds 0 to 2 are shared with the
 * process's parent and stay as they are.
 * Context: setup
 * Syscalls: fcntl rt_sigaction
 */
void log_init(int fd, enum log_level max);

/**
 * log_line() - Write one line; see log_err() and friends
 * @level:	Dropped above log_init()'s
 * @fmt:	fmt.h's subset of printf; control characters come out as '?'
 *
 * A full or closed log never stops the program: the line is lost, and the next line reports it.
 * Context: any
 * Syscalls: write
 */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

/**
 * log_limited() - As log_line(), within the budget of @limit
 * @limit:	The call site's own, zero-initialised
 * @level:	Dropped above log_init()'s, without touching the budget
 * @fmt:	fmt.h's subset of printf
 *
 * Context: any
 * Syscalls: write clock_gettime (vDSO)
 */
void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...) PRINTF(3, 4);

#define log_err(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/**
 * log_refused() - Write the line of a refused system call (refused.h), at any level
 * @programs:	How many judged it
 * @args:	Six
 *
 * Context: a signal handler
 * Syscalls: write
 */
void log_refused(unsigned int programs, unsigned int nr, const uint64_t *args);

#endif

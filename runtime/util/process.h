/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Processes that may be gone, and their pids in use again
 *
 * A pid on file counts only together with the process's start time. Signals go by pidfd: it is opened first,
 * then the start time is compared, so the signal reaches that process or none.
 */
#ifndef VMRUN_RUNTIME_UTIL_PROCESS_H
#define VMRUN_RUNTIME_UTIL_PROCESS_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/** struct process - Identifies a process; @pid 0 = none, @start: field 22 of /proc/PID/stat */
struct process {
	pid_t pid;
	uint64_t start;
};

/** process_identify() - Find the start time of a living process or zombie; 0 if there is none */
uint64_t process_identify(pid_t pid);

/** process_in_io() - Whether it is in an uninterruptible call, such as a write to a disk that stands still */
bool process_in_io(pid_t pid);

/** process_open() - Open a pidfd of exactly that process; -ESRCH if it is gone */
MUST_CHECK int process_open(const struct process *p);

/** process_signal() - Send a signal; 0 or -errno.  Syscalls: pidfd_send_signal */
int process_signal(int pidfd, int sig);

/**
 * process_waits() - Whether it is asleep, and a thread of it in a call on its fds @fd to @fd + @nr - 1
 *
 * A thread in uninterruptible sleep always counts: it waits for a disk, a network file system or memory. Does
 * not wait.
 * Syscalls: openat getdents64 read close
 */
bool process_waits(pid_t pid, int fd, unsigned int nr);

/**
 * process_dying() - Whether it was killed but a thread waits for the host: it does not run its program again
 *
 * Syscalls: openat getdents64 read close
 */
bool process_dying(pid_t pid);

/**
 * process_kill() - Kill the process if it still exists, and wait until it is dead
 *
 * Return: 0, also if it was gone before; -ETIMEDOUT if it does not die within @timeout_ms
 */
MUST_CHECK int process_kill(const struct process *p, int timeout_ms);

#endif

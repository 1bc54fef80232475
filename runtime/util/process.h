/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Processes that may be gone, their pids used again
 *
 * A pid on file is only trusted together with the process's start time, and signals go by pidfd: the
 * pidfd is opened first, then the start time compared, so that it is that process which is signalled.
 */
#ifndef VMRUN_RUNTIME_UTIL_PROCESS_H
#define VMRUN_RUNTIME_UTIL_PROCESS_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/** struct process - @pid 0: none; @start: field 22 of /proc/PID/stat */
struct process {
	pid_t pid;
	uint64_t start;
};

/** process_identify() - The start time of a living process or zombie; 0 when there is none */
uint64_t process_identify(pid_t pid);

/** process_in_io() - Whether it sits in a call that nothing interrupts, such as a write to a disk that stands still */
bool process_in_io(pid_t pid);

/** process_open() - A pidfd of exactly that process; -ESRCH when it is gone */
MUST_CHECK int process_open(const struct process *p);

/** process_signal() - By pidfd; 0 or -errno.  Syscalls: pidfd_send_signal */
int process_signal(int pidfd, int sig);

/**
 * process_waits() - Whether it sleeps in the kernel, and not of its own will
 * @fd, @nr:	A sleep on one of these fds of its is not, whatever they are waited for with
 *
 * Uninterruptible sleep never is: that is a disk, a network file system, memory. Never waits itself.
 * Syscalls: openat read close
 */
bool process_waits(pid_t pid, int fd, unsigned int nr);

/**
 * process_dying() - Whether it is killed and its death waits for the host: it never runs its program again
 *
 * Syscalls: openat read close
 */
bool process_dying(pid_t pid);

/** process_kill() - Kill that process if it is still there, and wait until it is dead
 *
 * Return: 0 also when it was gone before; -ETIMEDOUT when it does not die in @timeout_ms
 */
MUST_CHECK int process_kill(const struct process *p, int timeout_ms);

#endif

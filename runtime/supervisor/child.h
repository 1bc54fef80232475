/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A jailed process, as both supervisors handle it: that of a VM and that of a stand-alone device
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CHILD_H
#define VMRUN_RUNTIME_SUPERVISOR_CHILD_H

#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "runtime/jail/spawned.h"
#include "runtime/util/oci_log.h"

/** How long a process that was dismissed has before it is killed */
#define CHILD_LEAVE_MS 2000

/** How many lines a log may still hold when its writer is gone: more than a pipe has room for packets */
#define CHILD_LINES_MAX 64

/** child_error_pipe() - Make the pipe that jails report their errors on, non-blocking */
MUST_CHECK int child_error_pipe(int ret_fd[2], struct err *err);

/**
 * child_hear() - Read one message of its control socket
 * @ret:	Its text is printable
 *
 * Return: 1; 0 at the end of the socket; -EAGAIN when there is no message; -errno for one that is none
 */
MUST_CHECK int child_hear(const struct spawned *p, struct ctl_msg *ret);

/** child_failure() - CTL_FAILED as an error */
int child_failure(const struct ctl_msg *m, struct err *err);

/** child_pass_line() - Pass one line of its log on to @log.  As spawned_read() */
enum spawned_said child_pass_line(struct spawned *p, bool last, struct oci_log *log,
				  uint64_t *ret_at_ns);

/** child_dismiss() - Close its control socket, which is how a process learns that it has to leave */
void child_dismiss(struct spawned *p);

/** child_kill() - Kill it unless it is dead */
void child_kill(const struct spawned *p);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "devices/core/fmt.h"
#include "runtime/util/process.h"

#define CHILD_ERRNO_MAX 4095

int child_error_pipe(int ret_fd[2], struct err *err)
{
	return pipe2(ret_fd, O_CLOEXEC | O_NONBLOCK) < 0 ? err_set(err, errno, "error pipe") : 0;
}

int child_hear(const struct spawned *p, struct ctl_msg *ret)
{
	const int rc = ctl_recv(p->control, ret);

	if (rc == 1)
		(void)fmt_printable(ret->text);
	return rc;
}

int child_failure(const struct ctl_msg *m, struct err *err)
{
	const bool known = m->code && m->code <= CHILD_ERRNO_MAX;

	return err_text(err, known ? (int)m->code : EIO, "%s", m->text);
}

enum spawned_said child_pass_line(struct spawned *p, bool last, struct oci_log *log,
				  uint64_t *ret_at_ns)
{
	struct spawned_line line;
	const enum spawned_said said = spawned_read(p, last, &line, ret_at_ns);

	if (said == SPAWNED_LINE)
		oci_log_write(log, line.level, "%s: %s", p->name, line.text);
	return said;
}

void child_dismiss(struct spawned *p)
{
	cleanup_close_fd(&p->control);
	p->control = -1;
}

void child_kill(const struct spawned *p)
{
	if (p->jailed.pid)
		(void)process_signal(p->jailed.pidfd, SIGKILL);
}

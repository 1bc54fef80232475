/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/parser.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/core/fdio.h"
#include "policies/policy.h"
#include "runtime/jail/self.h"

#define POLICY "parser_device"

int parser_write(int fd, const void *bytes, size_t len, struct err *err)
{
	const char *from = bytes;

	while (len > 0) {
		const ssize_t n = write(fd, from, len);

		if (n < 0 && errno != EINTR)
			return err_set(err, errno, "write");
		if (n > 0) {
			from += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int parser_confine(struct err *err)
{
	const struct policy *policy = policy_find(POLICY);
	struct program program = {.fd = -1};

	if (!policy)
		return err_text(err, ENOENT, "this vmrun was built without a policy '%s'", POLICY);
	program.nr_insns = policy->count;
	program.insn = policy->insn;
	return self_confine_reader(&program, err);
}

static _Noreturn void parser_child(int (*what)(void *arg, struct err *err), void *arg, int to)
{
	struct err err = {0}, ignored;

	/* It ends with its parent, and without a core of its text. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && parser_confine(&err) == 0 &&
	    what(arg, &err) == 0)
		err.code = 0;
	(void)!parser_write(to, &err, sizeof(err), &ignored);
	_exit(0);
}

/* What the child says of itself is as much text as it likes, but no more than an error holds. */
static int parser_outcome(int from, struct err *err)
{
	const int rc = fd_read_full(from, err, sizeof(*err));

	if (rc < 0)
		return err_text(err, ECHILD, "the policy parser died");
	err->msg[sizeof(err->msg) - 1] = 0;
	return err->code > 0 ? -err->code : 0;
}

int parser_run(int (*what)(void *arg, struct err *err), void *arg, struct err *err)
{
	cleanup_fd int from = -1, to = -1;
	siginfo_t ended = {0};
	pid_t pid;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe");
	from = ends[0];
	to = ends[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, errno, "fork");
	if (pid == 0)
		parser_child(what, arg, to);
	cleanup_close_fd(&to);
	to = -1;
	rc = parser_outcome(from, err);
	if (waitid(P_PID, (id_t)pid, &ended, WEXITED) < 0)
		return err_set(err, errno, "waitid");
	if (ended.si_code != CLD_EXITED)
		return err_text(err, ECHILD, "the policy parser was killed by signal %d",
				ended.si_status);
	return rc;
}

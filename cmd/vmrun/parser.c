/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/parser.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/core/fdio.h"
#include "devices/core/log.h"
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

/* By @to goes what @what returned, by @log the call that the policy refused, if there was one. */
static _Noreturn void parser_child(int (*what)(void *arg, struct err *err), void *arg, int to,
				   int log)
{
	struct err err = {0}, ignored;

	log_init(log, LOG_LEVEL_ERROR);
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

static int parser_wait(struct spawned *child, struct err *err)
{
	struct spawned_line line;
	uint64_t at_ns;
	char how[SPAWNED_HOW_BYTES];

	if (waitid(P_PIDFD, (id_t)child->jailed.pidfd, &(siginfo_t){0}, WEXITED | WNOWAIT) < 0)
		return err_set(err, errno, "waitid");
	if (!spawned_reap(child))
		return err_text(err, ECHILD, "the policy parser is not our child any more");
	if (child->left)
		return 0;
	(void)spawned_read(child, true, &line, &at_ns);
	spawned_describe(child, how, sizeof(how));
	return err_text(err, ECHILD, "the policy parser was %s", how);
}

static int parser_fork(int (*what)(void *arg, struct err *err), void *arg, int to, int log,
		       struct spawned *ret, struct err *err)
{
	const pid_t pid = fork();

	if (pid < 0)
		return err_set(err, errno, "fork");
	if (pid == 0)
		parser_child(what, arg, to, log);
	ret->jailed.pid = pid;
	ret->jailed.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return ret->jailed.pidfd < 0 ? err_set(err, errno, "pidfd_open") : 0;
}

int parser_begin(int (*what)(void *arg, struct err *err), void *arg, struct parser *ret,
		 struct err *err)
{
	__attribute__((cleanup(spawned_done))) struct spawned child;
	cleanup_fd int from = -1, to = -1, log = -1;
	int ends[2], logs[2], rc;

	spawned_init(&child);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe");
	from = ends[0];
	to = ends[1];
	if (pipe2(logs, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, errno, "pipe");
	child.log = logs[0];
	log = logs[1];
	rc = parser_fork(what, arg, to, log, &child, err);
	if (rc < 0)
		return rc;
	ret->child = child;
	ret->from = TAKE_FD(from);
	spawned_init(&child);
	return 0;
}

int parser_end(struct parser *p, struct err *err)
{
	const int outcome = parser_outcome(p->from, err), rc = parser_wait(&p->child, err);

	close(p->from);
	spawned_done(&p->child);
	return rc < 0 ? rc : outcome;
}

int parser_run(int (*what)(void *arg, struct err *err), void *arg, struct err *err)
{
	struct parser p;
	const int rc = parser_begin(what, arg, &p, err);

	return rc < 0 ? rc : parser_end(&p, err);
}

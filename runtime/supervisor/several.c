/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/several.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "runtime/supervisor/signals.h"

/**
 * struct several - The children
 * @pid:	0: none, or it has ended
 * @failed:	How many ended other than by a signal that asked them to
 */
struct several {
	unsigned int nr, failed;
	int signal_fd;
	pid_t pid[SEVERAL_MAX];
};

static NORETURN void several_be_child(struct several *s, pid_t parent,
				      int (*run)(void *arg, unsigned int i), void *arg)
{
	signals_release(s->signal_fd);
	/* The parent may have died before this. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	_exit(run(arg, s->nr) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void several_end(const struct several *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->pid[i])
			(void)kill(s->pid[i], SIGTERM);
}

/* A terminal's Ctrl-C reaches the children, too, perhaps twice, and perhaps before they catch it. */
static bool several_in_order(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_SUCCESS;
	return WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM ||
	       WTERMSIG(status) == SIGHUP;
}

/* Returns whether children are left */
static bool several_reap(struct several *s)
{
	bool left = false;

	for (unsigned int i = 0; i < s->nr; i++) {
		int status;

		if (s->pid[i] && waitpid(s->pid[i], &status, WNOHANG) == s->pid[i]) {
			s->pid[i] = 0;
			s->failed += !several_in_order(status);
		}
		left = left || s->pid[i];
	}
	return left;
}

static int several_wait(struct several *s, struct err *err)
{
	struct pollfd p = {.fd = s->signal_fd, .events = POLLIN};

	while (several_reap(s)) {
		struct signalfd_siginfo info;

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_set(err, errno, "poll");
		while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info))
			if (info.ssi_signo != SIGCHLD)
				several_end(s);
	}
	return 0;
}

int several_run(unsigned int nr, int (*run)(void *arg, unsigned int i), void *arg, struct err *err)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, 0};
	struct several s = {.signal_fd = signals_catch(caught, err)};
	const pid_t parent = getpid();
	int rc = s.signal_fd < 0 ? s.signal_fd : 0;

	vr_assert(nr <= SEVERAL_MAX);
	while (rc == 0 && s.nr < nr) {
		const pid_t pid = fork();

		if (pid == 0)
			several_be_child(&s, parent, run, arg);
		if (pid < 0)
			rc = err_set(err, errno, "fork");
		else
			s.pid[s.nr++] = pid;
	}
	if (rc < 0)
		several_end(&s);
	if (several_wait(&s, err) < 0)
		rc = -err->code;
	signals_release(s.signal_fd);
	if (rc == 0 && s.failed)
		rc = err_text(err, EIO, "devices: %u of %u ended before they should", s.failed, nr);
	return rc;
}

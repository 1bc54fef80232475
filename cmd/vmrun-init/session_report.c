/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/session_report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cmd/vmrun-init/pty.h"
#include "cmd/vmrun-init/stamp.h"
#include "devices/core/fdio.h"

static void session_no_matter(void *arg)
{
	(void)arg;
}

int session_copy(struct session *s, struct copier *c, int from, int to)
{
	void (*over)(void *arg) = c == &s->in ? session_no_matter : session_settle;

	if (from < 0 || to < 0) {
		int rc = -errno;

		cleanup_close_fd(&from);
		cleanup_close_fd(&to);
		return rc;
	}
	return copier_start(c, &s->all->poller, from, to, over, s);
}

static int session_terminal(struct session *s, int master)
{
	int sock = TAKE_FD(s->sock[AGENT_STDIN]);
	int rc;

	s->master = master;
	if (s->rows || s->cols)
		(void)!pty_resize(master, s->rows, s->cols);
	if (sock < 0)
		return 0;
	/* To close the master would hang up the program's terminal, so output that no one takes goes nowhere. */
	s->out.discard = true;
	rc = session_copy(s, &s->out, fcntl(master, F_DUPFD_CLOEXEC, 0),
			  fcntl(sock, F_DUPFD_CLOEXEC, 0));
	if (rc < 0) {
		close(sock);
		return rc;
	}
	return session_copy(s, &s->in, sock, fcntl(master, F_DUPFD_CLOEXEC, 0));
}

static void session_say_started(struct session *s)
{
	struct agent_msg m = {.type = AGENT_STARTED, .session = s->id};

	s->stamp[AGENT_START_EXEC] = stamp_us();
	memcpy(m.arg, s->stamp, sizeof(m.arg));
	s->all->say(s->all, &m);
}

/* Its next report; false: there is none */
static bool session_next_report(struct session *s)
{
	int fds[FDIO_FDS_MAX];
	unsigned int nr_fds = 0;
	struct task_report r;
	ssize_t n;

	if (s->report.fd < 0)
		return false;
	n = fd_recv(s->report.fd, &r, sizeof(r), fds, &nr_fds);
	if (n == -EAGAIN)
		return false;
	if (n == sizeof(r) && nr_fds == 1 && s->master < 0) {
		/* A terminal without copiers hangs; its program ends by a hang-up instead. */
		if (session_terminal(s, fds[0]) < 0)
			cleanup_close_fd(&s->master);
		return true;
	}
	for (unsigned int i = 0; i < nr_fds; i++)
		close(fds[i]);
	if (n == sizeof(r)) {
		if (r.step)
			s->failure = r;
		else
			s->stamp[AGENT_START_ROOT] = r.code;
		return true;
	}
	watch_end(&s->report);
	s->started = s->failure.step == 0;
	if (s->started)
		session_say_started(s);
	return false;
}

void session_heard(struct session *s)
{
	while (session_next_report(s)) {
	}
	if (s->report.fd >= 0)
		watch_end(&s->report);
}

static void session_report_ready(void *arg, uint32_t events)
{
	(void)events;
	(void)session_next_report(arg);
}

int session_listen(struct session *s, int report)
{
	watch_init(&s->report, &s->all->poller, report, session_report_ready, s);
	return fcntl(report, F_SETFL, O_NONBLOCK) < 0 ? -errno : watch_set(&s->report, EPOLLIN);
}

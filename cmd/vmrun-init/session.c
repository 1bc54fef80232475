/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/session.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "cmd/vmrun-init/birth.h"
#include "cmd/vmrun-init/leaf.h"
#include "cmd/vmrun-init/pty.h"

struct session *session_new(struct sessions *all, const struct agent_msg *m)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->all = all;
	s->id = m->session;
	s->pidfd = s->master = -1;
	s->spec_watch = s->report = WATCH_NONE;
	for (unsigned int i = 0; i < AGENT_STREAMS; i++) {
		s->port[i] = m->port[i];
		s->sock[i] = -1;
	}
	s->next = all->first;
	all->first = s;
	return s;
}

static void session_free(struct session *s)
{
	struct session **at = &s->all->first;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	copier_end(&s->in);
	copier_end(&s->out);
	copier_end(&s->errors);
	watch_end(&s->spec_watch);
	watch_end(&s->report);
	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		cleanup_close_fd(&s->sock[i]);
	cleanup_close_fd(&s->pidfd);
	cleanup_close_fd(&s->master);
	free(s->spec);
	free(s);
}

/* The last word on it. Session 0 may have waited for that. */
static void session_over(struct session *s, const struct agent_msg *m)
{
	struct sessions *all = s->all;

	session_free(s);
	all->say(all, m);
	if (all->first && !all->first->next)
		session_settle(all->first);
}

void session_fail(struct session *s, enum agent_step step, int code)
{
	struct agent_msg m = {
		.type = AGENT_FAILED,
		.session = s->id,
		.code = (uint32_t)code,
		.arg = {step},
	};

	session_over(s, &m);
}

void session_settle(void *arg)
{
	struct session *s = arg;
	const struct sessions *all = s->all;
	struct agent_msg m = {.type = AGENT_EXITED, .session = s->id, .code = s->status};

	/* The container's end is the end of the others, too: theirs are heard first. */
	if (s->state != SESSION_ENDED || s->out.running || s->errors.running ||
	    (s->id == 0 && all->first != s) || (s->id == 0 && s->next))
		return;
	if (s->failure.step) {
		m.type = AGENT_FAILED;
		m.code = s->failure.code;
		m.arg[0] = s->failure.step;
		m.arg[1] = s->failure.index;
	} else if (s->status == 128 + SIGKILL && leaf_oom_kills(all->cgroup) > s->oom_kills) {
		m.arg[0] = 1;
	}
	session_over(s, &m);
}

struct session *session_find(const struct sessions *all, uint32_t id)
{
	struct session *s = all->first;

	while (s && s->id != id)
		s = s->next;
	return s;
}

enum agent_stream session_wants(const struct session *s, uint32_t port)
{
	unsigned int i = 0;

	while (i < AGENT_STREAMS && !(s->port[i] == port && s->sock[i] < 0))
		i++;
	return s->state == SESSION_WAITING && port ? i : AGENT_STREAMS;
}

void session_signal(struct session *s, int number, bool all)
{
	int unused = -1;
	pid_t pid;

	if (s->state == SESSION_WAITING) {
		if (number == SIGKILL)
			session_fail(s, AGENT_STEP_PROCESS, EINTR);
		return;
	}
	/* One that has ended meanwhile: no effect. */
	(void)!syscall(SYS_pidfd_send_signal, s->pidfd, number, NULL, 0);
	if (!all || s->state != SESSION_BORN)
		return;
	/* From inside, -1 is everyone there but process 1 and the one that asks. */
	pid = birth_into(s->pidfd, s->all->own, -1, &unused);
	if (pid == 0) {
		(void)kill(-1, number);
		_exit(0);
	}
	cleanup_close_fd(&unused);
}

void session_resize(struct session *s, uint16_t rows, uint16_t cols)
{
	s->rows = rows;
	s->cols = cols;
	if (s->master >= 0)
		(void)!pty_resize(s->master, rows, cols);
}

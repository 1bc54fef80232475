/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cmd/vmrun-init/leaf.h"
#include "cmd/vmrun-init/session_run.h"
#include "cmd/vmrun-init/stamp.h"
#include "devices/core/fdio.h"

/* The last word on session 0 is the last of all. */
static void agent_say(struct sessions *all, const struct agent_msg *m)
{
	struct agent *a = container_of(all, struct agent, sessions);

	/* 32 bytes, which the host reads at once. If it does not, or not any more, it is going to end this guest. */
	if (fd_write_full(a->control.fd, m, sizeof(*m)) < 0 ||
	    (m->session == 0 && (m->type == AGENT_EXITED || m->type == AGENT_FAILED)))
		a->sessions.poller.stop = true;
	if (m->session == 0 && m->type == AGENT_STARTED && a->config->began)
		a->config->began();
}

static int agent_unstash(struct agent *a, uint32_t port)
{
	for (unsigned int i = 0; i < a->nr_stash; i++) {
		int sock = a->stash[i].sock;

		if (a->stash[i].port != port)
			continue;
		memmove(a->stash + i, a->stash + i + 1, (--a->nr_stash - i) * sizeof(a->stash[0]));
		return sock;
	}
	return -1;
}

static void agent_message_run(struct agent *a, const struct agent_msg *m)
{
	struct agent_msg failed = {
		.type = AGENT_FAILED,
		.session = m->session,
		.code = ENOMEM,
		.arg = {AGENT_STEP_PROCESS},
	};
	struct session *s = session_find(&a->sessions, m->session) ? NULL
								   : session_new(&a->sessions, m);

	if (!s) {
		agent_say(&a->sessions, &failed);
		return;
	}
	s->stamp[AGENT_START_RUN] = stamp_us();
	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		if (s->port[i])
			s->sock[i] = agent_unstash(a, s->port[i]);
	session_begin(s);
}

static void agent_message(struct agent *a, const struct agent_msg *m)
{
	struct session *s = session_find(&a->sessions, m->session);

	if (m->type == AGENT_RUN)
		agent_message_run(a, m);
	else if (m->type == AGENT_PIDS_MAX)
		(void)!leaf_pids(a->config->cgroup, m->arg[0]);
	else if (m->type == AGENT_SIGNAL && s)
		session_signal(s, (int)m->code, m->arg[0]);
	else if (m->type == AGENT_SIZE && s)
		session_resize(s, (uint16_t)m->arg[0], (uint16_t)m->arg[1]);
}

static void agent_control_ready(void *arg, uint32_t events)
{
	struct agent *a = arg;
	ssize_t n = recv(a->control.fd, (char *)&a->in + a->in_len, sizeof(a->in) - a->in_len,
			 MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		a->sessions.poller.stop = true;
		return;
	}
	a->in_len += (size_t)n;
	if (a->in_len < sizeof(a->in))
		return;
	a->in_len = 0;
	agent_message(a, &a->in);
}

static void agent_say_hello(struct agent *a)
{
	struct agent_msg hello = {.type = AGENT_HELLO, .code = AGENT_VERSION};

	if (a->config->stamp) {
		memcpy(hello.arg, a->config->stamp, sizeof(hello.arg));
		hello.arg[AGENT_BOOT_HELLO] = stamp_us();
	}
	agent_say(&a->sessions, &hello);
}

static void agent_listener_ready(void *arg, uint32_t events)
{
	struct agent *a = arg;
	uint32_t port = 0;
	int sock = a->config->accept(a->listener.fd, &port);

	(void)events;
	if (sock < 0)
		return;
	for (struct session *s = a->sessions.first; s; s = s->next) {
		enum agent_stream which = session_wants(s, port);

		if (which < AGENT_STREAMS) {
			session_give(s, which, sock);
			return;
		}
	}
	if (a->nr_stash == AGENT_STASH_MAX) {
		/* The oldest is of a session that did not wait for it. */
		close(a->stash[0].sock);
		memmove(a->stash, a->stash + 1, --a->nr_stash * sizeof(a->stash[0]));
	}
	a->stash[a->nr_stash].port = port;
	a->stash[a->nr_stash++].sock = sock;
}

/* Children of this process are those of sessions, and short ones of its own. */
static void agent_reap(void *arg, uint32_t events)
{
	struct agent *a = arg;
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)events;
	(void)!read(a->signals.fd, &info, sizeof(info));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct session *s = a->sessions.first;

		while (s && !(s->pid == pid && s->state == SESSION_BORN))
			s = s->next;
		if (s)
			session_ended(s, WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status)
							   : 128 + (uint32_t)WTERMSIG(status));
	}
}

static int agent_signals(void)
{
	sigset_t child;
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int agent_run(struct agent *a, const struct agent_config *config, int control, int listener)
{
	int signals = agent_signals(), rc;

	*a = (struct agent){
		.config = config,
		.sessions = {.share = config->share, .cgroup = config->cgroup, .say = agent_say},
	};
	if (signals < 0)
		return signals;
	/* So that programs of the container without CAP_SYS_PTRACE cannot look into its children, which are in their
	 * PID namespace before their execve. */
	(void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	a->sessions.own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	rc = a->sessions.own < 0 ? -errno : poller_init(&a->sessions.poller);
	if (rc < 0)
		return rc;
	watch_init(&a->control, &a->sessions.poller, control, agent_control_ready, a);
	watch_init(&a->listener, &a->sessions.poller, listener, agent_listener_ready, a);
	watch_init(&a->signals, &a->sessions.poller, signals, agent_reap, a);
	rc = watch_set(&a->control, EPOLLIN);
	if (rc == 0)
		rc = watch_set(&a->listener, EPOLLIN);
	if (rc == 0)
		rc = watch_set(&a->signals, EPOLLIN);
	if (rc < 0)
		return rc;
	agent_say_hello(a);
	return poller_run(&a->sessions.poller);
}

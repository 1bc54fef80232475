/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "devices/core/fdio.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/reply.h"
#include "runtime/supervisor/vsock.h"
#include "runtime/util/clock.h"
#include "runtime/util/file.h"

#define CLIENTS_READY	   16
#define SESSION_PORT_ASKED UINT32_MAX /* the device has yet to say which port it is */

/* ---- places ---- */

struct session *session_new(struct agent *a)
{
	struct session *n = a->session;

	while (n < a->session + SESSIONS_MAX && n->state != SESSION_FREE)
		n++;
	if (n == a->session + SESSIONS_MAX)
		return NULL;
	*n = (struct session){.id = a->next_id++, .state = SESSION_WAITING, .client = -1};
	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		n->fd[i] = -1;
	return n;
}

struct session *session_find(struct agent *a, uint32_t id, enum session_state from)
{
	for (struct session *n = a->session; n < a->session + SESSIONS_MAX; n++)
		if (n->state != SESSION_FREE && n->id == id)
			return n->state >= from ? n : NULL;
	return NULL;
}

static void session_close_files(struct session *n)
{
	for (unsigned int i = 0; i < AGENT_STREAMS; i++) {
		cleanup_close_fd(&n->fd[i]);
		n->fd[i] = -1;
	}
}

/* Returns its client, -1: none. The place is free when the device has answered */
static int session_release(struct session *n)
{
	const int client = n->client;

	session_close_files(n);
	n->client = -1;
	/* Answers of the device are still to come for one that is being connected. */
	if (n->open == 0)
		n->state = SESSION_OVER;
	return client;
}

/* ---- streams ---- */

int session_stream(int fd, int flags, int *ret, struct err *err)
{
	struct stat st;
	int mode;

	*ret = -1;
	/* The guest has a /dev/null of its own, and programs look what their streams are. */
	if (fstat(fd, &st) < 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return 0;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		*ret = file_reopen(fd, flags | O_NONBLOCK);
	if (*ret >= 0)
		return 0;
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (*ret < 0)
		return err_set(err, errno, "standard streams");
	/* Others use the same description: files never block, the device does not wait for a socket. */
	if (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode))
		return 0;
	/* A pipe or terminal of another user: there is no other way. */
	mode = fcntl(*ret, F_GETFL);
	return mode >= 0 && fcntl(*ret, F_SETFL, mode | O_NONBLOCK) == 0
		       ? 0
		       : err_set(err, errno, "standard streams");
}

static int session_take_files(struct session *n, const int *fd, unsigned int nr, struct err *err)
{
	int rc = 0;

	n->fd[AGENT_SPEC] = fcntl(fd[REQUEST_FILE_SPEC], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (n->fd[AGENT_SPEC] < 0)
		return err_set(err, errno, "description");
	for (unsigned int i = AGENT_STDIN; rc == 0 && i < nr; i++)
		rc = session_stream(fd[i],
				    n->terminal	       ? O_RDWR
				    : i == AGENT_STDIN ? O_RDONLY
						       : O_WRONLY,
				    &n->fd[i], err);
	return rc;
}

static bool session_is_dead(const struct session *n)
{
	return n->failure.code != 0;
}

static void session_ask_guest(struct supervisor *s, struct session *n)
{
	struct agent_msg m = {.type = AGENT_RUN, .session = n->id};
	struct err err = n->failure;

	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		m.port[i] = n->port[i];
	if (!session_is_dead(n) && agent_conn_send(&s->agent->conn, &m, &err) == 0) {
		n->state = SESSION_ASKED;
		n->asked_ns = s->agent->look_ns = clock_ns();
		if (n->size)
			session_size(s, n->id, n->size);
	} else if (n->id == 0) {
		/* A VM without its container's process has no purpose. */
		end_vm(s, END_INIT_LOST, err.msg, false);
		s->agent->began(s, &err);
	} else {
		session_fails(s, n, &err, NULL);
	}
}

/* The device has a stream, or has refused it; the order of answers is that of questions */
static void session_connected(struct supervisor *s, unsigned int i UNUSED, int client UNUSED,
			      const struct ctl_msg *answer, const struct err *err)
{
	struct session *n = s->agent->session;
	unsigned int stream = 0;

	while (n->state !=
	       SESSION_CONNECTING) /* there is one, until all its questions have ended */
		n++;
	while (n->port[stream] != SESSION_PORT_ASKED)
		stream++;
	n->port[stream] = answer ? (uint32_t)answer->value[0] : 0;
	if (err->code && !session_is_dead(n))
		n->failure = *err;
	if (!answer && err->code == ETIMEDOUT)
		vsock_silent(s);
	if (--n->open > 0)
		return;
	session_ask_guest(s, n);
	session_go_on(s);
}

static int session_connect_stream(struct supervisor *s, struct session *n, unsigned int i,
				  struct err *err)
{
	const struct ask_then then = {.done = session_connected, .client = -1};
	const int fd = n->fd[i];
	const bool in = i <= AGENT_STDIN,
		   out = i > AGENT_STDIN || (n->terminal && i == AGENT_STDIN);
	int rc;

	if (fd < 0)
		return 0;
	rc = vsock_connect(s, AGENT_PORT, in ? fd : -1, out ? fd : -1, &then, err);
	if (rc < 0)
		return rc;
	n->port[i] = SESSION_PORT_ASKED;
	n->open++;
	return 0;
}

static void session_connect(struct supervisor *s, struct session *n)
{
	struct err err = {0};
	struct winsize size;
	int rc = 0;

	n->state = SESSION_CONNECTING;
	if (n->terminal && ioctl(n->fd[AGENT_STDIN], TIOCGWINSZ, &size) == 0)
		n->size = (uint64_t)size.ws_col << 16 | size.ws_row;
	for (unsigned int i = 0; rc == 0 && i < AGENT_STREAMS; i++)
		rc = session_connect_stream(s, n, i, &err);
	session_close_files(n);
	if (rc < 0)
		n->failure = err;
	if (n->open == 0)
		session_ask_guest(s, n);
}

static void session_streams_ended(struct supervisor *s, unsigned int i UNUSED, int client UNUSED,
				  const struct ctl_msg *answer, const struct err *err)
{
	struct session *n = s->agent->session;

	while (n->state != SESSION_ENDING)
		n++;
	n->state = SESSION_FREE;
	if (!answer && err->code == ETIMEDOUT)
		vsock_silent(s);
	session_go_on(s);
}

/* False: it had none, or the device cannot be asked */
static bool session_end_streams(struct supervisor *s, struct session *n)
{
	const struct ask_then then = {.done = session_streams_ended, .client = -1};
	struct err ignored;
	bool any = false;

	for (unsigned int i = 0; i < AGENT_STREAMS; i++)
		any = any || n->port[i];
	n->state = SESSION_FREE;
	if (any && vsock_end(s, AGENT_PORT, n->port, AGENT_STREAMS, &then, &ignored) == 0)
		n->state = SESSION_ENDING;
	return n->state == SESSION_ENDING;
}

void session_go_on(struct supervisor *s)
{
	struct session *next = NULL;

	if (s->stage != STAGE_RUNNING || s->pausing || s->state->status == STATE_PAUSED)
		return;
	for (struct session *n = s->agent->session; n < s->agent->session + SESSIONS_MAX; n++) {
		if (n->state == SESSION_CONNECTING || n->state == SESSION_ENDING)
			return;
		if (n->state == SESSION_WAITING && (!next || n->id < next->id))
			next = n;
	}
	for (struct session *n = s->agent->session; n < s->agent->session + SESSIONS_MAX; n++)
		if (n->state == SESSION_OVER && session_end_streams(s, n))
			return;
	if (next && s->agent->up)
		session_connect(s, next);
}

/* ---- clients ---- */

int session_signal(struct supervisor *s, uint32_t id, int sig, bool all, struct err *err)
{
	const struct agent_msg m = {
		.type = AGENT_SIGNAL, .session = id, .code = (uint32_t)sig, .arg = {all}};

	return agent_conn_send(&s->agent->conn, &m, err);
}

void session_size(struct supervisor *s, uint32_t id, uint64_t size)
{
	const struct agent_msg m = {
		.type = AGENT_SIZE, .session = id, .arg = {size & 0xffff, size >> 16 & 0xffff}};
	struct err ignored;

	/* A guest that does not read its control connection has no terminal that changes, either. */
	(void)!agent_conn_send(&s->agent->conn, &m, &ignored);
}

void session_client_left(struct supervisor *s, struct session *n)
{
	struct err ignored;

	cleanup_close_fd(&n->client);
	n->client = -1;
	if (n->state >= SESSION_ASKED)
		(void)!session_signal(s, n->id, SIGKILL, false, &ignored);
	else if (!session_is_dead(n))
		err_text(&n->failure, EPIPE, "the caller is gone");
}

/* One request, which is not answered. False: it has left, or sent what is none */
static bool session_obey(struct supervisor *s, struct session *n)
{
	struct request q;
	struct err ignored;
	const ssize_t got = fd_recv_plain(n->client, &q, sizeof(q));

	if (got == -EAGAIN)
		return true;
	if (got != sizeof(q) || q.magic != REQUEST_MAGIC)
		return false;
	if (q.op == REQUEST_SIZE)
		session_size(s, n->id, q.value);
	else if (q.op == REQUEST_SIGNAL && q.arg >= 1 && q.arg <= 64)
		(void)!session_signal(s, n->id, (int)q.arg, false, &ignored);
	else
		return false;
	return true;
}

static void session_on_clients(void *arg, int fd, uint32_t events UNUSED)
{
	struct epoll_event ready[CLIENTS_READY];
	struct supervisor *s = arg;
	const int nr = epoll_wait(fd, ready, CLIENTS_READY, 0);

	for (int i = 0; i < nr; i++) {
		struct session *n = &s->agent->session[ready[i].data.u32];

		if (n->client >= 0 && !session_obey(s, n))
			session_client_left(s, n);
	}
}

int session_watch_clients(struct supervisor *s, struct err *err)
{
	s->agent->clients = epoll_create1(EPOLL_CLOEXEC);
	if (s->agent->clients < 0)
		return err_set(err, errno, "epoll");
	return loop_add(&s->loop, s->agent->clients, EPOLLIN, session_on_clients, s, err);
}

int session_exec(struct supervisor *s, const int *fd, unsigned int nr, bool terminal, int client,
		 struct err *err)
{
	struct session *n = s->agent ? session_new(s->agent) : NULL;
	struct epoll_event e = {.events = EPOLLIN};

	err->code = 0;

	if (s->launch->plan->pod)
		return err_text(err, EOPNOTSUPP,
				"the container holds a pod, and runs nothing: exec in a container "
				"of the pod");
	if (!n)
		return s->agent
			       ? err_text(err, EAGAIN, "%u programs run in the container already",
					  SESSIONS_MAX)
			       : err_text(
					 err, EOPNOTSUPP,
					 "the guest has no vmrun-init: exec needs a bundle without "
					 "vm.kernel");
	e.data.u32 = (uint32_t)(n - s->agent->session);
	n->terminal = terminal;
	if (session_take_files(n, fd, nr, err) < 0 ||
	    epoll_ctl(s->agent->clients, EPOLL_CTL_ADD, client, &e) < 0) {
		(void)session_release(n);
		return err->code ? -err->code : err_set(err, errno, "exec");
	}
	n->client = client;
	session_go_on(s);
	return 0;
}

/* ---- what comes of it ---- */

void session_runs(struct supervisor *s, struct session *n)
{
	n->state = SESSION_RUNNING;
	if (n->client >= 0)
		reply_begun(&s->log, n->client);
}

void session_fails(struct supervisor *s, struct session *n, const struct err *why,
		   const uint64_t value[CTL_VALUES])
{
	const struct err copy = *why; /* it may be the session's own */
	const int client = session_release(n);

	if (client >= 0)
		reply_give(&s->log, client, &copy, value);
	session_go_on(s);
}

void session_ended(struct supervisor *s, struct session *n, uint32_t status)
{
	const uint64_t value[CTL_VALUES] = {status};
	const struct err none = {0};
	const int client = session_release(n);

	if (client >= 0)
		reply_give(&s->log, client, &none, value);
	session_go_on(s);
}

void session_close_all(struct supervisor *s, const struct err *why)
{
	for (struct session *n = s->agent->session; n < s->agent->session + SESSIONS_MAX; n++) {
		int client;

		if (n->state < SESSION_WAITING)
			continue;
		if (n->state < SESSION_RUNNING) {
			session_fails(s, n, why, NULL);
			continue;
		}
		client = session_release(n);
		if (client >= 0)
			close(client);
	}
}

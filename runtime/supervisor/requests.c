/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/balloon.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/console.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/pause.h"
#include "runtime/supervisor/reply.h"
#include "runtime/supervisor/session.h"
#include "runtime/supervisor/signals.h"
#include "runtime/supervisor/start.h"
#include "runtime/util/signal_names.h"

#define BACKLOG 64

/* Ask the guest to end; end the VM if the guest has not started */
static int requests_ask_guest(struct supervisor *s, enum ctl_type type, int sig, struct err *err)
{
	char name[24], detail[64];
	int rc;

	if (s->stage == STAGE_CREATED) {
		signal_name(sig, name, sizeof(name));
		fmt_into(detail, sizeof(detail), "%s before the start", name);
		end_vm(s, END_KILLED, detail, true);
		return 0;
	}
	rc = ctl_send(s->proc[0].control, type, 0, 0, NULL);
	return rc < 0 ? err_set(err, -rc, "the VMM does not listen") : 0;
}

/* A VM that is being created can only be killed. */
static int requests_act_before_created(struct supervisor *s, int sig, struct err *err)
{
	struct err failure;

	if (signals_action(sig) != SIGNAL_KILL)
		return err_text(err, EBUSY, "the container is being created");
	err_text(&failure, EINTR, "killed while it was created");
	end_failed(s, &failure);
	return 0;
}

/* A container gets every signal. Before it runs those end it that would end a process which has just begun. */
static int requests_signal_container(struct supervisor *s, int sig, bool all, struct err *err)
{
	char name[24], detail[64];

	if (s->stage == STAGE_RUNNING)
		return agent_signal(s, sig, all, err);
	if (signals_action(sig) == SIGNAL_HARMLESS)
		return 0;
	signal_name(sig, name, sizeof(name));
	fmt_into(detail, sizeof(detail), "%s before the start", name);
	end_exited(s, 128 + sig, detail);
	return 0;
}

/* What holds a pod ends as the programs do in whose place it is: they wait for a signal, and leave with 0. */
static int requests_signal_pod(struct supervisor *s, int sig)
{
	const enum signal_action action = signals_action(sig);
	char name[24], detail[64];

	if (action != SIGNAL_POWER_BUTTON && action != SIGNAL_CTRL_ALT_DEL)
		return 0;
	signal_name(sig, name, sizeof(name));
	fmt_into(detail, sizeof(detail), "%s ended what holds the pod", name);
	end_exited(s, 0, detail);
	return 0;
}

static int requests_act_on_signal(struct supervisor *s, int sig, bool all, struct err *err)
{
	const enum signal_action action = signals_action(sig);
	char name[24];

	if (s->stage < STAGE_CREATED)
		return requests_act_before_created(s, sig, err);
	/* It may wait for the reader of its last output; only KILL cuts that short. */
	if (s->stage >= STAGE_ENDING && action == SIGNAL_KILL)
		end_kill(s);
	if (s->stage >= STAGE_ENDING && action != SIGNAL_NONE)
		return 0;
	if (s->agent && sig != 0 && sig != SIGKILL)
		return requests_signal_container(s, sig, all, err);
	if (s->launch->plan->pod && action != SIGNAL_KILL)
		return requests_signal_pod(s, sig);
	/* Programs that rotate logs send it; without a log it is another way to press the power button. */
	if (sig == SIGHUP && console_reopen_log(s))
		return 0;
	switch (action) {
	case SIGNAL_CHECK:
	case SIGNAL_HARMLESS: return 0;
	case SIGNAL_POWER_BUTTON: return requests_ask_guest(s, CTL_POWER_BUTTON, sig, err);
	case SIGNAL_CTRL_ALT_DEL: return requests_ask_guest(s, CTL_CTRL_ALT_DEL, sig, err);
	case SIGNAL_KILL: end_vm(s, END_KILLED, "killed on request", true); return 0;
	case SIGNAL_NONE: break;
	}
	signal_name(sig, name, sizeof(name));
	return err_text(err, EINVAL,
			"%s has no meaning for a VM: TERM (power button), INT (Ctrl-Alt-Del) and "
			"KILL have",
			name);
}

/**
 * struct incoming - A request at hand; owns its fds
 * @client:	Where the answer goes. An operation that answers later takes it and sets -1
 * @fd:		The files that the request brought, @nr of them. An operation that keeps one sets -1
 */
struct incoming {
	struct request q;
	int client;
	int fd[FDIO_FDS_MAX];
	unsigned int nr;
};

static int requests_op_start(struct supervisor *s, struct incoming *in, struct err *err)
{
	const int rc = start_begin(s, in->client, err);

	if (rc == 0)
		in->client = -1;
	return rc;
}

static int requests_op_kill(struct supervisor *s, struct incoming *in, struct err *err)
{
	if (in->q.arg > 64)
		return err_text(err, EINVAL, "no such signal");
	return requests_act_on_signal(s, (int)in->q.arg, in->q.value == REQUEST_KILL_ALL, err);
}

static int requests_op_balloon(struct supervisor *s, struct incoming *in, struct err *err)
{
	const int rc = balloon_ask(s, &in->q, in->client, err);

	if (rc == 0)
		in->client = -1;
	return rc;
}

static int requests_op_console(struct supervisor *s, struct incoming *in, struct err *err)
{
	const int rc = in->q.op == REQUEST_CONSOLE
			       ? console_attach(s, &in->q, in->client, in->fd[0], err)
			       : console_set_size(s, &in->q, in->client, err);

	if (rc == 0)
		in->client = -1;
	return rc;
}

static int requests_op_pause(struct supervisor *s, struct incoming *in, struct err *err)
{
	const int rc = pause_begin(s, in->client, err);

	if (rc == 0)
		in->client = -1;
	return rc;
}

static int requests_op_resume(struct supervisor *s, struct incoming *in, struct err *err)
{
	const int rc = pause_end(s, in->client, err);

	if (rc == 0)
		in->client = -1;
	return rc;
}

static int requests_op_exec(struct supervisor *s, struct incoming *in, struct err *err)
{
	const bool terminal = in->q.arg & REQUEST_EXEC_TERMINAL;
	int rc;

	if (in->q.arg & ~(uint32_t)(REQUEST_EXEC_TERMINAL | REQUEST_EXEC_PAUSED) ||
	    (terminal && in->nr != 2))
		return err_text(err, EINVAL, "the request does not have the form it should");
	if (s->state->status == STATE_PAUSED && !(in->q.arg & REQUEST_EXEC_PAUSED))
		return err_text(err, EINVAL, "cannot exec in a paused container");
	rc = session_exec(s, in->fd, in->nr, terminal, in->client, err);
	if (rc == 0)
		in->client = -1;
	return rc;
}

static int requests_op_pids_max(struct supervisor *s, struct incoming *in, struct err *err)
{
	if (in->q.value > UINT32_MAX)
		return err_text(err, EINVAL, "the number of processes is out of range");
	return agent_pids_max(s, (uint32_t)in->q.value, err);
}

/* The operations; how many files they bring, which a guest that does not run may be asked */
static const struct requests_op {
	int (*run)(struct supervisor *s, struct incoming *in, struct err *err);
	unsigned int files_min, files_max;
	enum stage from;
} ops[REQUEST_OPS] = {
	[REQUEST_START] = {requests_op_start, 0, 0, STAGE_CREATED},
	[REQUEST_KILL] = {requests_op_kill, 0, 0, STAGE_CREATING},
	[REQUEST_BALLOON] = {requests_op_balloon, 0, 0, STAGE_CREATED},
	[REQUEST_BALLOON_STATS] = {requests_op_balloon, 0, 0, STAGE_CREATED},
	[REQUEST_PAUSE] = {requests_op_pause, 0, 0, STAGE_CREATED},
	[REQUEST_RESUME] = {requests_op_resume, 0, 0, STAGE_CREATED},
	[REQUEST_CONSOLE] = {requests_op_console, 1, 1, STAGE_CREATED},
	[REQUEST_EXEC] = {requests_op_exec, 2, REQUEST_FILES, STAGE_RUNNING},
	[REQUEST_PIDS_MAX] = {requests_op_pids_max, 0, 0, STAGE_RUNNING},
	[REQUEST_CONSOLE_SIZE] = {requests_op_console, 0, 0, STAGE_CREATED},
};

static bool requests_may_ask(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static int requests_run(struct supervisor *s, struct incoming *in, struct err *err)
{
	const struct requests_op *op = in->q.op < REQUEST_OPS ? &ops[in->q.op] : &ops[0];

	if (!op->run)
		return err_text(err, ENOSYS, "the supervisor does not know this request");
	if (in->nr < op->files_min || in->nr > op->files_max ||
	    memchr(in->q.device, 0, BOOT_NAME_BYTES) == NULL ||
	    memchr(in->q.name, 0, CONSOLE_NAME_BYTES) == NULL)
		return err_text(err, EINVAL, "the request does not have the form it should");
	if (s->stage < STAGE_CREATED && s->stage < op->from)
		return err_text(err, EINPROGRESS, "the container is being created");
	if (s->stage < op->from)
		return err_text(err, EINVAL, "the container is not running");
	return op->run(s, in, err);
}

/* Whether @fd brought a request, with the files that it brought */
static bool requests_receive(int fd, struct incoming *ret)
{
	return fd_recv(fd, &ret->q, sizeof(ret->q), ret->fd, &ret->nr) == sizeof(ret->q) &&
	       ret->q.magic == REQUEST_MAGIC;
}

static void requests_on_request(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	struct incoming in = {.client = fd};
	struct err err = {0};

	for (unsigned int i = 0; i < SUPERVISOR_CLIENTS; i++)
		if (s->client[i] == fd)
			s->client[i] = -1;
	loop_del(&s->loop, fd);
	if (requests_receive(fd, &in)) {
		if (requests_run(s, &in, &err) == 0)
			err.code = 0;
		if (in.client >= 0)
			reply_give(&s->log, TAKE_FD(in.client), &err, NULL);
	}
	cleanup_close_fd(&in.client);
	for (unsigned int i = 0; i < in.nr; i++)
		cleanup_close_fd(&in.fd[i]);
}

/* A client that connects and does not ask loses its place to a newer one. */
static void requests_on_client(void *arg, int listen_fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	cleanup_fd int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int *place = &s->client[s->next_client++ % SUPERVISOR_CLIENTS];
	struct err ignored;

	if (fd < 0 || !requests_may_ask(fd))
		return;
	if (*place >= 0) {
		loop_del(&s->loop, *place);
		cleanup_close_fd(place);
		*place = -1;
	}
	if (loop_add(&s->loop, fd, EPOLLIN, requests_on_request, s, &ignored) == 0)
		*place = TAKE_FD(fd);
}

static void requests_terminal_changed(struct supervisor *s)
{
	if (s->agent)
		agent_terminal_changed(s);
	else
		console_terminal_changed(s);
}

static void requests_on_signal(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	struct signalfd_siginfo info;
	char name[24];
	struct err err;
	int sig;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	sig = (int)info.ssi_signo;
	signal_name(sig, name, sizeof(name));
	/* The terminal of --console-socket was closed. Its user may attach again; the VM goes on. */
	if (sig == SIGHUP && info.ssi_code == SI_KERNEL)
		return;
	if (sig == SIGWINCH && s->stage >= STAGE_CREATED && s->stage < STAGE_ENDING)
		requests_terminal_changed(s);
	if (s->stage < STAGE_CREATED && signals_action(sig) >= SIGNAL_POWER_BUTTON) {
		err_text(&err, EINTR, "interrupted by %s", name);
		end_failed(s, &err);
	} else if (signals_action(sig) != SIGNAL_HARMLESS &&
		   requests_act_on_signal(s, sig, false, &err) < 0) {
		oci_log_write(&s->log, LOG_LEVEL_DEBUG, "%s: %s", name, err.msg);
	}
}

static int requests_listen(int dir, struct err *err)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sun;
	const socklen_t len = client_address(dir, &sun);

	if (fd < 0)
		return err_set(err, errno, "control socket");
	if (bind(fd, (struct sockaddr *)&sun, len) < 0 || listen(fd, BACKLOG) < 0)
		return err_set(err, errno, "control socket");
	return TAKE_FD(fd);
}

int requests_serve(struct supervisor *s, struct err *err)
{
	sigset_t all;
	int rc;

	memset(s->client, 0xff, sizeof(s->client));
	sigfillset(&all);
	s->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set(err, errno, "signalfd");
	s->listen_fd = requests_listen(s->dir, err);
	if (s->listen_fd < 0)
		return s->listen_fd;
	rc = loop_add(&s->loop, s->signal_fd, EPOLLIN, requests_on_signal, s, err);
	if (rc == 0)
		rc = loop_add(&s->loop, s->listen_fd, EPOLLIN, requests_on_client, s, err);
	return rc;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/client_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "devices/core/fdio.h"

int client_exec_begin(int dir, const int files[REQUEST_FILES], uint32_t how,
		      struct client_exec *ret, struct err *err)
{
	const struct request q = {
		.magic = REQUEST_MAGIC,
		.op = REQUEST_EXEC,
		.arg = how,
	};
	const unsigned int nr = how & REQUEST_EXEC_TERMINAL ? REQUEST_FILE_TERMINAL + 1
							    : REQUEST_FILES;
	cleanup_fd int sock = client_connect(dir, err);

	if (sock < 0)
		return sock;
	if (fd_send(sock, &q, sizeof(q), files, nr) < 0)
		return err_text(err, ESRCH, "container not running");
	if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "control socket");
	*ret = (struct client_exec){.sock = TAKE_FD(sock), .status = CLIENT_EXEC_FAILED};
	return 0;
}

static int client_exec_lost(struct client_exec *e, struct err *err)
{
	if (!e->started)
		return err_text(err, ESRCH, "container not running");
	e->ended = true;
	e->status = CLIENT_EXEC_LOST;
	return 0;
}

/* A status that no program can have means that something is wrong with the supervisor, not that all is well. */
static int client_exec_status(const struct reply *r)
{
	return r->value[0] <= 255 ? (int)r->value[0] : CLIENT_EXEC_FAILED;
}

int client_exec_hear(struct client_exec *e, const struct warn_to *warn, struct err *err)
{
	struct reply r;
	const ssize_t n = recv(e->sock, &r, sizeof(r), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != sizeof(r))
		return client_exec_lost(e, err);
	r.text[sizeof(r.text) - 1] = '\0';
	if (r.code == REPLY_WARNING) {
		if (warn)
			warn->line(warn->arg, r.text);
		return 0;
	}
	if (r.code) {
		e->status = r.value[0] ? client_exec_status(&r) : CLIENT_EXEC_FAILED;
		if (r.value[1] > 0 && r.value[1] < AGENT_STEPS && r.value[2] <= UINT32_MAX)
			e->failed = (struct agent_msg){
				.type = AGENT_FAILED,
				.code = r.code,
				.arg = {(uint32_t)r.value[1], (uint32_t)r.value[2]},
			};
		return err_text(err, (int)r.code, "%s", r.text);
	}
	if (e->started) {
		e->ended = true;
		e->status = client_exec_status(&r);
	}
	e->started = true;
	return 0;
}

/* A supervisor that does not read loses it: to wait for one would keep the next signal waiting too. */
static void client_exec_tell(const struct client_exec *e, const struct request *q)
{
	(void)!send(e->sock, q, sizeof(*q), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void client_exec_signal(const struct client_exec *e, int sig)
{
	const struct request q = {
		.magic = REQUEST_MAGIC, .op = REQUEST_SIGNAL, .arg = (uint32_t)sig};

	client_exec_tell(e, &q);
}

void client_exec_size(const struct client_exec *e, uint16_t cols, uint16_t rows)
{
	const struct request q = {
		.magic = REQUEST_MAGIC, .op = REQUEST_SIZE, .value = (uint64_t)cols << 16 | rows};

	client_exec_tell(e, &q);
}

void client_exec_done(struct client_exec *e)
{
	cleanup_close_fd(&e->sock);
	e->sock = -1;
}

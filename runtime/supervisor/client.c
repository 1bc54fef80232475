/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/state/state_dir.h"

#define PATIENCE_S	 10
#define PATIENCE_START_S 300 /* a guest boots, and its init has its time (session_late.h) */

socklen_t client_address(int dir, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	fmt_into(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/" STATE_CONTROL, dir);
	return sizeof(*ret);
}

/* The directory is the caller's, so its socket should be: do not believe another user's answer. */
static bool client_peer_is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

int client_hear(int sock, const struct warn_to *warn, struct reply *ret, struct err *err)
{
	struct reply reply;
	ssize_t n;

	for (;;) {
		n = recv(sock, &reply, sizeof(reply), 0);
		/* This process was stopped, and continues. */
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return err_text(err, ETIMEDOUT, "the supervisor does not answer");
		if (n != sizeof(reply))
			return err_text(err, ESRCH, "container not running");
		reply.text[sizeof(reply.text) - 1] = '\0';
		if (reply.code == 0 && ret)
			*ret = reply;
		if (reply.code != REPLY_WARNING)
			return reply.code ? err_text(err, (int)reply.code, "%s", reply.text) : 0;
		if (warn)
			warn->line(warn->arg, reply.text);
	}
}

int client_connect(int dir, struct err *err)
{
	/* A supervisor that hangs must not hang its caller. */
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;
	const socklen_t len = client_address(dir, &sun);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return err_set(err, errno, "control socket");
	if (connect(fd, (struct sockaddr *)&sun, len) < 0) {
		/* Clients that gave up fill the backlog. */
		if (errno == EAGAIN)
			return err_text(err, ETIMEDOUT, "the supervisor does not answer");
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_text(err, ESRCH, "container not running");
		return err_set(err, errno, "control socket");
	}
	if (!client_peer_is_ours(fd))
		return err_text(err, EPERM, "the control socket belongs to another user");
	return TAKE_FD(fd);
}

int client_send(int dir, const struct request *q, int fd, struct err *err)
{
	const struct timeval long_patience = {.tv_sec = PATIENCE_START_S};
	cleanup_fd int sock = client_connect(dir, err);
	struct request copy = *q;

	if (sock < 0)
		return sock;
	if (q->op == REQUEST_START &&
	    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &long_patience, sizeof(long_patience)) < 0)
		return err_set(err, errno, "control socket");
	copy.magic = REQUEST_MAGIC;
	if (fd_send(sock, &copy, sizeof(copy), &fd, fd >= 0 ? 1 : 0) < 0)
		return err_text(err, ESRCH, "container not running");
	return TAKE_FD(sock);
}

int client_ask(int dir, const struct request *q, int fd, const struct warn_to *warn,
	       struct reply *ret, struct err *err)
{
	cleanup_fd int sock = client_send(dir, q, fd, err);

	return sock < 0 ? sock : client_hear(sock, warn, ret, err);
}

int client_ask_op(int dir, enum request_op op, uint32_t arg, const struct warn_to *warn,
		  struct err *err)
{
	const struct request q = {.op = op, .arg = arg};

	return client_ask(dir, &q, -1, warn, NULL, err);
}

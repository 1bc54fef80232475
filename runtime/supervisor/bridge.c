/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "devices/core/settings.h"
#include "runtime/host/inherited.h"
#include "runtime/util/clock.h"
#include "runtime/util/unix_path.h"

#define BRIDGE_LINE_NS	   2000000000ULL /* how long a client may take for its line */
#define BRIDGE_CALL_NS	   1000000000ULL /* how long a listener may have no room */
#define BRIDGE_RETRY_NS	   20000000ULL
#define BRIDGE_OTHER_FILES 128 /* of the device */
#define BRIDGE_SEND_BYTES                                                                          \
	212992 /* the kernel doubles it: room for the largest message of a guest */

_Static_assert(BRIDGE_OTHER_FILES < INHERITED_JAIL_FILES, "a process that can jail has so many");

static const int bridge_types[BRIDGE_LISTENERS] = {SOCK_STREAM, SOCK_SEQPACKET};

/* ---- clients ---- */

static void bridge_earlier(uint64_t *at_ns, uint64_t t)
{
	if (*at_ns == 0 || t < *at_ns)
		*at_ns = t;
}

static void bridge_set_time(struct bridge *b)
{
	b->at_ns = 0;
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		if (b->client[i].fd >= 0)
			bridge_earlier(&b->at_ns, b->client[i].deadline_ns);
	for (unsigned int i = 0; i < BRIDGE_CALLS; i++)
		if (b->call[i].deadline_ns)
			bridge_earlier(&b->at_ns, clock_ns() + BRIDGE_RETRY_NS);
	if (!b->accepting)
		bridge_earlier(&b->at_ns, clock_ns() + BRIDGE_RETRY_NS);
}

/* While clients may not connect they wait in the kernel's queue. */
static void bridge_accept(struct bridge *b, bool on)
{
	if (b->accepting == on)
		return;
	b->accepting = on;
	for (unsigned int i = 0; i < BRIDGE_LISTENERS; i++)
		(void)!loop_mod(b->loop, b->listener[i].fd, on ? EPOLLIN : 0);
}

static struct bridge_client *bridge_free_place(struct bridge *b)
{
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		if (b->client[i].fd < 0)
			return &b->client[i];
	return NULL;
}

static bool bridge_has_room(struct bridge *b)
{
	return b->handed < BRIDGE_HANDED_MAX && bridge_free_place(b);
}

/* The client's place is free again; returns its socket, which is not watched any more */
static int bridge_release(struct bridge_client *c)
{
	const int fd = TAKE_FD(c->fd);

	loop_del(c->b->loop, fd);
	return fd;
}

/* "CONNECT <port>\n", and nothing else; false for any other line */
static bool bridge_parse(const char *line, unsigned int len, uint32_t *ret_port)
{
	static const char word[] = "CONNECT ";
	uint64_t port = 0;
	unsigned int i = sizeof(word) - 1;

	if (len < sizeof(word) + 1 || len > sizeof(word) + 10 || memcmp(line, word, i) != 0 ||
	    line[len - 1] != '\n')
		return false;
	for (; i < len - 1; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		port = port * 10 + (uint64_t)(line[i] - '0');
	}
	*ret_port = (uint32_t)port;
	return port <= UINT32_MAX;
}

/* What a socket needs before it is a device's */
static int bridge_prepare(int fd, bool seqpacket)
{
	const int bytes = BRIDGE_SEND_BYTES, from = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0 ||
	    (seqpacket && setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from)) < 0))
		return -errno;
	return 0;
}

/* The client has said its line: its socket goes to the device, or, if that cannot be, is closed */
static void bridge_hand_in(struct bridge_client *c)
{
	struct bridge *b = c->b;
	struct ctl_msg m = {.type = CTL_VSOCK_CONNECT};
	cleanup_fd int fd = bridge_release(c);
	uint32_t port;

	if (!bridge_parse(c->line, c->len, &port) || bridge_prepare(fd, c->seqpacket) < 0)
		return;
	m.arg = port;
	m.code = CTL_VSOCK_IN | CTL_VSOCK_OUT | CTL_VSOCK_GREET |
		 (c->seqpacket ? CTL_VSOCK_SEQPACKET : 0);
	if (b->hand(b->arg, &m, fd) < 0)
		return;
	b->handed++;
}

/* Takes the client's line as far as it has come, and not a byte more: the rest is the guest's */
static ssize_t bridge_read_line(struct bridge_client *c)
{
	char *at = c->line + c->len;
	const size_t room = sizeof(c->line) - c->len;
	ssize_t n = recv(c->fd, at, room, c->seqpacket ? MSG_DONTWAIT : MSG_DONTWAIT | MSG_PEEK);
	const char *end = n > 0 ? memchr(at, '\n', (size_t)n) : NULL;

	if (n > 0 && !c->seqpacket)
		n = recv(c->fd, at, end ? (size_t)(end + 1 - at) : (size_t)n, MSG_DONTWAIT);
	if (n > 0)
		c->len += (unsigned int)n;
	return n;
}

static void bridge_on_client(void *arg, int fd UNUSED, uint32_t events UNUSED)
{
	struct bridge_client *c = arg;
	const ssize_t n = bridge_read_line(c);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* One that says too much, or nothing more, has no line that can be parsed. */
	if (n <= 0 || c->seqpacket || c->line[c->len - 1] == '\n' || c->len == sizeof(c->line))
		bridge_hand_in(c);
	bridge_accept(c->b, bridge_has_room(c->b));
	bridge_set_time(c->b);
}

static void bridge_on_connect(void *arg, int listener, uint32_t events UNUSED)
{
	struct bridge *b = arg;
	struct bridge_client *c = bridge_free_place(b);
	cleanup_fd int fd = c ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
	struct err ignored;

	if (c && fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
		return;
	/* What is missing, of this process or the host, may be there a little later. */
	if (!c || fd < 0 || loop_add(b->loop, fd, EPOLLIN, bridge_on_client, c, &ignored) < 0) {
		bridge_accept(b, false);
		bridge_set_time(b);
		return;
	}
	*c = (struct bridge_client){
		.b = b,
		.fd = TAKE_FD(fd),
		.seqpacket = listener == b->listener[1].fd,
		.deadline_ns = clock_ns() + BRIDGE_LINE_NS,
	};
	bridge_set_time(b);
	/* Most have sent their line by now. */
	bridge_on_client(c, c->fd, EPOLLIN);
}

/* ---- the guest's calls ---- */

/* Answers a call; @fd is borrowed, -1: refused */
static void bridge_found(struct bridge *b, uint64_t ticket, int fd)
{
	const struct ctl_msg m = {.type = CTL_VSOCK_FOUND, .arg = ticket};

	/* A device that cannot be told has died, and its guest's calls with it. */
	if (b->hand(b->arg, &m, fd) < 0)
		b->calls--;
}

/* Connects to the program that listens for this port; false when it has no room now */
static bool bridge_call(struct bridge *b, const struct bridge_call *call)
{
	char path[PATH_MAX + 12];
	cleanup_fd int fd = -1;

	fmt_into(path, sizeof(path), "%s_%u", b->path, call->port);
	fd = unix_connect(path, call->seqpacket ? SOCK_SEQPACKET : SOCK_STREAM, O_NOFOLLOW);
	if (fd == -EAGAIN)
		return false;
	if (fd >= 0 && bridge_prepare(fd, call->seqpacket) < 0) {
		close(fd);
		fd = -1;
	}
	bridge_found(b, call->ticket, fd >= 0 ? fd : -1);
	return true;
}

bool bridge_may_ask(const struct bridge *b)
{
	return b->calls < BRIDGE_CALLS;
}

void bridge_asked(struct bridge *b, const struct ctl_msg *m)
{
	struct bridge_call call = {
		.ticket = m->arg, .port = m->code, .seqpacket = m->value[0] != 0};
	struct bridge_call *place = b->call;

	vr_assert(bridge_may_ask(b));
	b->calls++;
	if (bridge_call(b, &call))
		return;
	call.deadline_ns = clock_ns() + BRIDGE_CALL_NS;
	while (place->deadline_ns) /* fewer calls wait than are open */
		place++;
	*place = call;
	bridge_set_time(b);
}

/* ---- time, and answers ---- */

static void bridge_retry(struct bridge *b, struct bridge_call *call, uint64_t now)
{
	if (!bridge_call(b, call)) {
		if (now < call->deadline_ns)
			return;
		bridge_found(b, call->ticket, -1);
	}
	call->deadline_ns = 0;
}

void bridge_late(struct bridge *b)
{
	const uint64_t now = clock_ns();

	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		if (b->client[i].fd >= 0 && b->client[i].deadline_ns <= now)
			close(bridge_release(&b->client[i]));
	for (unsigned int i = 0; i < BRIDGE_CALLS; i++)
		if (b->call[i].deadline_ns)
			bridge_retry(b, &b->call[i], now);
	bridge_accept(b, bridge_has_room(b));
	bridge_set_time(b);
}

void bridge_answered(struct bridge *b, bool found)
{
	if (found)
		b->calls--;
	else
		b->handed--;
	bridge_accept(b, bridge_has_room(b));
}

/* ---- beginning and end ---- */

void bridge_init(struct bridge *b)
{
	*b = (struct bridge){.accepting = true};
	for (unsigned int i = 0; i < BRIDGE_LISTENERS; i++)
		b->listener[i].fd = -1;
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		b->client[i].fd = -1;
}

int bridge_open(struct bridge *b, const char *path, struct loop *loop,
		int (*hand)(void *arg, const struct ctl_msg *m, int fd), void *arg, struct err *err)
{
	const char *const paths[BRIDGE_LISTENERS] = {b->path, b->path_seqpacket};
	int rc = 0;

	if (strlen(path) + sizeof("_seqpacket") > sizeof(b->path))
		return err_set(err, ENAMETOOLONG, "socket %s", path);
	b->loop = loop;
	b->hand = hand;
	b->arg = arg;
	fmt_into(b->path, sizeof(b->path), "%s", path);
	fmt_into(b->path_seqpacket, sizeof(b->path_seqpacket), "%s_seqpacket", path);
	for (unsigned int i = 0; rc == 0 && i < BRIDGE_LISTENERS; i++) {
		rc = listen_at(paths[i], bridge_types[i], &b->listener[i], err);
		if (rc == 0)
			rc = loop_add(loop, b->listener[i].fd, EPOLLIN, bridge_on_connect, b, err);
	}
	return rc;
}

uint32_t bridge_connections(void)
{
	struct rlimit files;
	uint64_t most = VSOCK_CONNS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_max < BRIDGE_OTHER_FILES + 2ULL * VSOCK_CONNS_MAX)
		most = (files.rlim_max - BRIDGE_OTHER_FILES) / 2;
	return (uint32_t)most;
}

void bridge_done(struct bridge *b)
{
	for (unsigned int i = 0; i < BRIDGE_LISTENERS; i++) {
		if (b->listener[i].fd >= 0)
			loop_del(b->loop, b->listener[i].fd);
		listen_done(&b->listener[i]);
	}
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++) {
		if (b->client[i].fd >= 0)
			close(bridge_release(&b->client[i]));
	}
}

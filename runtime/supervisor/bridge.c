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
#include "runtime/util/vsock_socket.h"

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
	if (!b->accepting || !b->hearing)
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

static void bridge_hear(struct bridge *b, bool on)
{
	if (b->hearing == on)
		return;
	b->hearing = on;
	for (unsigned int i = 0; i < b->nr_ports; i++)
		(void)!loop_mod(b->loop, b->port[i].fd, on ? EPOLLIN : 0);
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

static bool bridge_may_hear(const struct bridge *b)
{
	return b->nr_ports == 0 || (b->handed < BRIDGE_HANDED_MAX && b->calls < BRIDGE_CALLS);
}

static void bridge_go_on(struct bridge *b)
{
	bridge_accept(b, bridge_has_room(b));
	bridge_hear(b, bridge_may_hear(b));
	bridge_set_time(b);
}

/* The client's place is free again; returns its socket, which is not watched any more */
static int bridge_release(struct bridge_client *c)
{
	const int fd = TAKE_FD(c->fd);

	loop_del(c->b->loop, fd);
	return fd;
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

static int bridge_hand(struct bridge *b, uint32_t port, uint32_t flags, int fd)
{
	const struct ctl_msg m = {.type = CTL_VSOCK_CONNECT,
				  .arg = port,
				  .code = CTL_VSOCK_IN | CTL_VSOCK_OUT | flags};
	const int rc = b->hand(b->arg, &m, fd);

	if (rc == 0)
		b->handed++;
	return rc;
}

/* Both ends of a connection that the kernel carries; all fds are borrowed */
static void bridge_hand_both(struct bridge *b, int guest, int program, uint32_t flags, uint32_t own)
{
	const struct ctl_msg half = {.type = CTL_VSOCK_CONNECT, .code = CTL_VSOCK_HALF};

	/* A device that takes no message has died. */
	if (b->hand(b->arg, &half, guest) == 0)
		(void)!bridge_hand(b, own, flags, program);
}

/* The client has said its line: its socket goes to the device, or, if that cannot be, is closed */
static void bridge_hand_in(struct bridge_client *c)
{
	struct bridge *b = c->b;
	cleanup_fd int fd = bridge_release(c), guest = -1;
	uint32_t port, own;

	if (!bridge_line_port(&c->line, &port) || bridge_prepare(fd, c->seqpacket) < 0)
		return;
	if (b->cid) {
		guest = vsock_socket_connect(b->cid, port, &own);
		if (guest >= 0)
			bridge_hand_both(b, guest, fd, CTL_VSOCK_GREET, own);
		return;
	}
	(void)!bridge_hand(b, port, CTL_VSOCK_GREET | (c->seqpacket ? CTL_VSOCK_SEQPACKET : 0), fd);
}

static void bridge_on_client(void *arg, int fd, uint32_t events UNUSED)
{
	struct bridge_client *c = arg;

	/* One that says too much, or nothing more, has no line that names a port. */
	if (!bridge_line_read(&c->line, fd, c->seqpacket))
		return;
	bridge_hand_in(c);
	bridge_go_on(c->b);
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
static void bridge_found(struct bridge *b, const struct bridge_call *call, int fd)
{
	const struct ctl_msg m = {.type = CTL_VSOCK_FOUND, .arg = call->ticket};

	if (b->cid) {
		if (fd >= 0)
			bridge_hand_both(b, call->guest, fd, 0, call->port);
		close(call->guest);
		b->calls--;
		return;
	}
	/* A device that takes no message has died, and its guest's calls with it. */
	if (b->hand(b->arg, &m, fd) < 0)
		b->calls--;
}

/* Connects to the program that listens for this port; false when it, or the device, has no room now */
static bool bridge_call(struct bridge *b, const struct bridge_call *call)
{
	char path[PATH_MAX + 12];
	cleanup_fd int fd = -1;

	if (b->cid && b->handed >= BRIDGE_HANDED_MAX)
		return false;
	if (!*b->path) {
		bridge_found(b, call, -1);
		return true;
	}
	fmt_into(path, sizeof(path), "%s_%u", b->path, call->port);
	fd = unix_connect(path, call->seqpacket ? SOCK_SEQPACKET : SOCK_STREAM, O_NOFOLLOW);
	if (fd == -EAGAIN)
		return false;
	if (fd >= 0 && bridge_prepare(fd, call->seqpacket) < 0) {
		close(fd);
		fd = -1;
	}
	bridge_found(b, call, fd >= 0 ? fd : -1);
	return true;
}

static void bridge_take_call(struct bridge *b, struct bridge_call call)
{
	struct bridge_call *place = b->call;

	b->calls++;
	if (bridge_call(b, &call))
		return;
	call.deadline_ns = clock_ns() + BRIDGE_CALL_NS;
	while (place->deadline_ns) /* fewer calls wait than are open */
		place++;
	*place = call;
	bridge_set_time(b);
}

bool bridge_may_ask(const struct bridge *b)
{
	return !b->cid && b->calls < BRIDGE_CALLS;
}

void bridge_asked(struct bridge *b, const struct ctl_msg *m)
{
	vr_assert(bridge_may_ask(b));
	bridge_take_call(b, (struct bridge_call){.ticket = m->arg,
						 .port = m->code,
						 .seqpacket = m->value[0] != 0,
						 .guest = -1});
}

/* The kernel has a connection of a guest to one of the ports */
static void bridge_on_guest(void *arg, int listener, uint32_t events UNUSED)
{
	struct bridge_port *p;
	struct bridge *b = arg;
	const int fd = bridge_may_hear(b) ? vsock_socket_accept(listener, b->cid) : -EMFILE;

	for (p = b->port; p->fd != listener; p++)
		continue;
	if (fd >= 0)
		bridge_take_call(b, (struct bridge_call){.port = p->port, .guest = fd});
	else if (fd != -EAGAIN && fd != -ECONNABORTED && fd != -EINTR)
		bridge_hear(b, false); /* what is missing may be there a little later */
	bridge_set_time(b);
}

/* ---- time, and answers ---- */

static void bridge_retry(struct bridge *b, struct bridge_call *call, uint64_t now)
{
	if (!bridge_call(b, call)) {
		if (now < call->deadline_ns)
			return;
		bridge_found(b, call, -1);
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
	bridge_go_on(b);
}

void bridge_answered(struct bridge *b, bool found)
{
	if (found)
		b->calls--;
	else
		b->handed--;
	bridge_go_on(b);
}

/* ---- beginning and end ---- */

void bridge_init(struct bridge *b)
{
	*b = (struct bridge){.accepting = true, .hearing = true};
	for (unsigned int i = 0; i < BRIDGE_LISTENERS; i++)
		b->listener[i].fd = -1;
	for (unsigned int i = 0; i < BRIDGE_CLIENTS; i++)
		b->client[i].fd = -1;
}

int bridge_open(struct bridge *b, const char *path, struct loop *loop,
		int (*hand)(void *arg, const struct ctl_msg *m, int fd), void *arg, struct err *err)
{
	const char *const paths[BRIDGE_LISTENERS] = {b->path, b->path_seqpacket};
	const unsigned int nr = b->cid ? 1 : BRIDGE_LISTENERS;
	int rc = 0;

	b->loop = loop;
	b->hand = hand;
	b->arg = arg;
	if (!path)
		return 0;
	if (strlen(path) + sizeof("_seqpacket") > sizeof(b->path))
		return err_set(err, ENAMETOOLONG, "socket %s", path);
	fmt_into(b->path, sizeof(b->path), "%s", path);
	fmt_into(b->path_seqpacket, sizeof(b->path_seqpacket), "%s_seqpacket", path);
	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		rc = listen_at(paths[i], bridge_types[i], &b->listener[i], err);
		if (rc == 0)
			rc = loop_add(loop, b->listener[i].fd, EPOLLIN, bridge_on_connect, b, err);
	}
	return rc;
}

int bridge_listen(struct bridge *b, uint32_t cid, const uint32_t *port, unsigned int nr,
		  struct loop *loop, struct err *err)
{
	int rc = 0;

	vr_assert(nr <= VSOCK_LISTEN_MAX);
	b->cid = cid;
	b->loop = loop;
	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		const int fd = vsock_socket_listen(port[i]);

		if (fd < 0)
			return err_set(err, -fd, "port %u", port[i]);
		b->port[b->nr_ports++] = (struct bridge_port){fd, port[i]};
		rc = loop_add(loop, fd, EPOLLIN, bridge_on_guest, b, err);
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
	for (unsigned int i = 0; i < b->nr_ports; i++) {
		loop_del(b->loop, b->port[i].fd);
		close(b->port[i].fd);
	}
	for (unsigned int i = 0; b->cid && i < BRIDGE_CALLS; i++)
		if (b->call[i].deadline_ns)
			close(b->call[i].guest);
}

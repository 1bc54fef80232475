/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/vsock/vhost_vsock_relay.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/core/fmt.h"

#define RELAY_EVENTS 64 /* sockets looked at before others have their turn */
#define RELAY_STEPS  16 /* pieces of one direction, likewise */
#define RELAY_WATCH  (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* ---- places ---- */

int relay_init(struct relay *r, uint32_t nr, struct err *err)
{
	vr_assert(nr > 0 && nr <= VSOCK_CONNS_MAX);
	r->half = -1;
	r->nr = nr;
	for (uint32_t i = 0; i < nr; i++)
		r->pair[i] = (struct relay_pair){.next = i + 1, .end = {{.fd = -1}, {.fd = -1}}};
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return r->epoll_fd < 0 ? err_set(err, errno, "epoll_create1") : 0;
}

/* Syscalls: epoll_ctl close */
static void relay_drop(struct relay *r, struct relay_pair *p)
{
	for (unsigned int side = 0; side < RELAY_SIDES; side++) {
		/* Others may hold the same description: closing the fd would leave it watched. */
		(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, p->end[side].fd, NULL);
		close(p->end[side].fd);
		p->end[side].fd = -1;
	}
	p->generation++;
	p->next = r->free;
	r->free = (uint32_t)(p - r->pair);
}

/* Syscalls: epoll_ctl */
static int relay_watch(const struct relay *r, const struct relay_pair *p, unsigned int side, int op)
{
	struct epoll_event e = {
		.events = RELAY_WATCH,
		.data.u64 = (uint64_t)p->generation << 32 | (uint64_t)(p - r->pair) * RELAY_SIDES |
			    side,
	};

	return epoll_ctl(r->epoll_fd, op, p->end[side].fd, &e) < 0 ? -errno : 0;
}

/* ---- bytes ---- */

/* What comes from @from goes nowhere any more, and its peer may know.  Syscalls: shutdown */
static void relay_stop(struct relay_end *from)
{
	from->over = true;
	(void)shutdown(from->fd, SHUT_RD);
}

/* Syscalls: recvfrom */
static ssize_t relay_peek(struct relay *r, const struct relay_end *from)
{
	return recv(from->fd, r->bytes, sizeof(r->bytes), MSG_PEEK | MSG_DONTWAIT);
}

/* Reads away @len bytes that the other end has.  Syscalls: read */
static bool relay_consume(struct relay *r, const struct relay_end *from, size_t len)
{
	while (len > 0) {
		const ssize_t n = read(from->fd, r->bytes, len);

		if (n <= 0)
			return false;
		len -= (size_t)n;
	}
	return true;
}

/* One piece; whether another may follow.  Syscalls: write shutdown */
static bool relay_step(struct relay *r, struct relay_end *from, struct relay_end *to)
{
	const ssize_t n = relay_peek(r, from);
	ssize_t taken;

	if (n < 0 && errno == EAGAIN) {
		from->can_read = false;
		return false;
	}
	if (n <= 0) {
		/* The end, or a reset */
		from->over = true;
		(void)shutdown(to->fd, SHUT_WR);
		return false;
	}
	taken = write(to->fd, r->bytes, (size_t)n);
	if (taken < 0 && errno == EAGAIN) {
		to->can_write = false;
		return false;
	}
	if (taken < 0 || !relay_consume(r, from, (size_t)taken)) {
		relay_stop(from);
		return false;
	}
	return true;
}

/* One direction, as far as it goes now, or until others have their turn */
static void relay_move(struct relay *r, struct relay_pair *p, enum relay_side side)
{
	struct relay_end *from = &p->end[side], *to = &p->end[!side];
	unsigned int steps = RELAY_STEPS;

	while (!from->over && from->can_read && to->can_write) {
		if (steps-- == 0) {
			/* A socket that is still ready is an event once more. */
			if (relay_watch(r, p, side, EPOLL_CTL_MOD) < 0)
				relay_stop(from);
			return;
		}
		if (!relay_step(r, from, to))
			return;
	}
}

/* An end that sends no more may be gone as a whole, or just half-closed: an empty write tells.  Syscalls: write */
static void relay_probe(struct relay_pair *p, enum relay_side side)
{
	const struct relay_end *e = &p->end[side];

	if (e->over && !p->end[!side].over && write(e->fd, "", 0) < 0 && errno != EAGAIN)
		relay_stop(&p->end[!side]);
}

static void relay_serve(struct relay *r, struct relay_pair *p)
{
	for (unsigned int side = 0; side < RELAY_SIDES; side++)
		relay_move(r, p, (enum relay_side)side);
	for (unsigned int side = 0; side < RELAY_SIDES; side++)
		relay_probe(p, (enum relay_side)side);
	if (p->end[RELAY_PROGRAM].over && p->end[RELAY_GUEST].over)
		relay_drop(r, p);
}

/* ---- events ---- */

/* Whether the guest's end is connected; the pair is dropped when it will never be.  Syscalls: write */
static bool relay_connect(struct relay *r, struct relay_pair *p, enum relay_side side,
			  uint32_t events)
{
	char line[24];
	size_t len;

	if (!(events & (EPOLLERR | EPOLLHUP))) {
		if (side != RELAY_GUEST || !(events & EPOLLOUT))
			return false;
		p->connecting = false;
		len = fmt_into(line, sizeof(line), "OK %u\n", p->port);
		if (write(p->end[RELAY_PROGRAM].fd, line, len) == (ssize_t)len)
			return true;
	}
	relay_drop(r, p);
	return false;
}

static void relay_event(struct relay *r, uint64_t token, uint32_t events)
{
	const uint32_t low = (uint32_t)token;
	struct relay_pair *p = &r->pair[low / RELAY_SIDES];
	const enum relay_side side = (enum relay_side)(low % RELAY_SIDES);
	struct relay_end *e = &p->end[side];

	/* Dropped, and perhaps another's place by now */
	if (e->fd < 0 || p->generation != token >> 32)
		return;
	if (events & ~(uint32_t)EPOLLOUT)
		e->can_read = true;
	if (events & ~(uint32_t)(EPOLLIN | EPOLLRDHUP))
		e->can_write = true;
	if (!p->connecting || relay_connect(r, p, side, events))
		relay_serve(r, p);
}

void relay_turn(struct relay *r)
{
	struct epoll_event ready[RELAY_EVENTS];
	const int nr = epoll_pwait(r->epoll_fd, ready, RELAY_EVENTS, 0, NULL);

	for (int i = 0; i < nr; i++)
		relay_event(r, ready[i].data.u64, ready[i].events);
}

/* ---- the supervisor's part ---- */

/* Both fds become the pair's, whatever happens */
static int relay_begin(struct relay *r, uint32_t port, bool connecting, int program, int guest,
		       struct err *err)
{
	struct relay_pair *p = &r->pair[r->free];
	int rc;

	r->free = p->next;
	*p = (struct relay_pair){
		.generation = p->generation,
		.port = port,
		.connecting = connecting,
		.end = {{program, true, true, false}, {guest, true, true, false}},
	};
	rc = relay_watch(r, p, RELAY_PROGRAM, EPOLL_CTL_ADD);
	if (rc == 0)
		rc = relay_watch(r, p, RELAY_GUEST, EPOLL_CTL_ADD);
	if (rc < 0) {
		relay_drop(r, p);
		return err_set(err, -rc, "vsock: watch a connection");
	}
	return 0;
}

int relay_control(struct relay *r, struct ctl_msg *m, int *fd, struct err *err)
{
	const uint32_t both = CTL_VSOCK_IN | CTL_VSOCK_OUT;
	cleanup_fd int guest = TAKE_FD(r->half);

	if (m->type != CTL_VSOCK_CONNECT || *fd < 0)
		return -EPROTO;
	if (m->code == CTL_VSOCK_HALF) {
		r->half = TAKE_FD(*fd);
		return 0;
	}
	if (m->arg > UINT32_MAX || (m->code & ~(uint32_t)CTL_VSOCK_GREET) != both || guest < 0)
		return err_text(err, EINVAL, "vsock: port %llu, flags %x, %s",
				(unsigned long long)m->arg, m->code,
				guest < 0 ? "one end" : "two ends");
	if (r->free == r->nr)
		return err_text(err, ENOSPC, "vsock: all %u connections are taken", r->nr);
	return relay_begin(r, (uint32_t)m->arg, m->code & CTL_VSOCK_GREET, TAKE_FD(*fd),
			   TAKE_FD(guest), err);
}

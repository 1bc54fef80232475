/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The host's end of a connection: one fd for both directions (a socket, a pty) or one for each (pipes)
 *
 * The fds are non-blocking (or lent) and watched edge-triggered: can_read and can_write say what is known. A stream is
 * read and written as it comes. A seqpacket connection has a SOCK_SEQPACKET socket with SO_PEEK_OFF set, so a
 * message that does not fit into one of the guest's buffers stays in the socket while it is read piece by piece.
 */
#include "devices/vsock/vsock_host.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "devices/vsock/vsock_say.h"

/* ---- closing ---- */

/* Syscalls: epoll_ctl close */
static void vsock_host_close_fd(struct vsock *v, int fd)
{
	/* Others may hold the same description: closing the fd would leave it watched. */
	(void)epoll_ctl(v->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
}

/* Ends one direction; how is what shutdown() has to say about it where the other one stays.  Syscalls: shutdown */
static void vsock_host_end(struct vsock *v, int *direction, int other, int how)
{
	const int fd = *direction;

	*direction = -1;
	if (fd < 0)
		return;
	if (fd != other)
		vsock_host_close_fd(v, fd);
	else
		(void)shutdown(fd, how); /* what is no socket has one end for both */
}

void vsock_host_close(struct vsock *v, struct vsock_conn *c)
{
	const int in = c->in, out = c->out;

	c->in = c->out = -1;
	if (in >= 0)
		vsock_host_close_fd(v, in);
	if (out >= 0 && out != in)
		vsock_host_close_fd(v, out);
}

void vsock_host_drop(struct vsock *v, struct vsock_conn *c)
{
	vsock_host_close(v, c);
	vsock_table_free(&v->table, c);
}

void vsock_host_abort(struct vsock *v, struct vsock_conn *c)
{
	vsock_say_reset_of(v, c);
	vsock_host_drop(v, c);
}

/* The guest hears that the host's end does not send, or receive, any more */
static void vsock_host_announce(struct vsock *v, struct vsock_conn *c, unsigned int shut)
{
	if (c->state != VSOCK_OPEN || (c->host_shut & shut) == shut)
		return;
	c->host_shut = (uint8_t)(c->host_shut | shut);
	vsock_say(v, c, VSOCK_SAY_SHUTDOWN);
}

static void vsock_host_read_over(struct vsock *v, struct vsock_conn *c)
{
	/* Not shut down: its peer may be about to receive what it was sent. */
	if (c->in != c->out && c->in >= 0)
		vsock_host_close_fd(v, c->in);
	c->in = -1;
	vsock_host_announce(v, c, VIRTIO_VSOCK_SHUTDOWN_SEND);
}

static void vsock_host_write_over(struct vsock *v, struct vsock_conn *c)
{
	c->credit.fwd += c->buf.nr;
	vsock_buf_drop(&c->buf, c->buf.nr);
	vsock_host_end(v, &c->out, c->in, SHUT_WR);
	vsock_host_announce(v, c, VIRTIO_VSOCK_SHUTDOWN_RCV);
}

void vsock_host_stop(struct vsock *v, struct vsock_conn *c)
{
	vsock_host_end(v, &c->in, c->out, SHUT_RD);
}

/* ---- reading ---- */

/*
 * One piece of a message. The first one shows how long it is: for one that is larger than the guest's buffer the
 * guest would wait for ever.
 * Syscalls: recvmsg read
 */
static ssize_t vsock_host_peek(struct vsock_conn *c, const struct iovec *iov, unsigned int nr,
			       bool *ret_end)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov};
	ssize_t left, room = 0;

	m.msg_iovlen = (__typeof__(m.msg_iovlen))nr; /* of another type in each C library */
	left = recvmsg(c->in, &m, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (left <= 0)
		return left;
	for (unsigned int i = 0; i < nr; i++)
		room += (ssize_t)iov[i].iov_len;
	if (!c->in_message && left > (ssize_t)c->credit.guest_alloc) {
		errno = EMSGSIZE;
		return -1;
	}
	*ret_end = left <= room;
	c->in_message = !*ret_end;
	/* Of what is left of it nothing is missing: one byte or all, it leaves the socket. */
	if (*ret_end && read(c->in, &(char){0}, 1) < 0)
		return -1;
	return *ret_end ? left : room;
}

/* Syscalls: recvmsg read readv recvfrom */
static ssize_t vsock_host_get(struct vsock_conn *c, const struct iovec *iov, unsigned int nr,
			      bool *ret_end)
{
	if (c->seqpacket)
		return vsock_host_peek(c, iov, nr, ret_end);
	return c->lent ? recv(c->in, iov->iov_base, iov->iov_len, MSG_DONTWAIT)
		       : readv(c->in, iov, (int)nr);
}

ssize_t vsock_host_read(struct vsock *v, struct vsock_conn *c, const struct iovec *iov,
			unsigned int nr, bool *ret_end)
{
	ssize_t n;

	*ret_end = false;
	do
		n = vsock_host_get(c, iov, nr, ret_end);
	while (n < 0 && errno == EINTR);
	if (n > 0 || (n < 0 && errno == EMSGSIZE))
		return n;
	if (n < 0 && errno == EAGAIN)
		c->can_read = false;
	else
		vsock_host_read_over(v, c);
	return 0;
}

/* ---- writing ---- */

/* How many bytes were taken; 0: none now, < 0: none ever. To a seqpacket socket it is one message.
 * Syscalls: writev sendto */
static ssize_t vsock_host_put(struct vsock_conn *c, const struct iovec *iov, unsigned int nr)
{
	ssize_t n;

	do
		n = c->lent ? send(c->out, iov->iov_base, iov->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
			    : writev(c->out, iov, (int)nr);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno != EAGAIN)
		return n;
	c->can_write = false;
	return 0;
}

/* One step; whether another may follow */
static bool vsock_host_put_held(struct vsock *v, struct vsock_conn *c)
{
	const uint32_t len = c->seqpacket ? vsock_buf_message(&c->buf) : c->buf.nr;
	struct iovec iov[2];
	ssize_t n;

	if (len == 0 || c->out < 0 || !c->can_write)
		return false;
	n = vsock_host_put(c, iov, vsock_buf_iov(&c->buf, len, iov));
	if (n < 0) {
		vsock_host_write_over(v, c);
		return false;
	}
	vsock_buf_drop(&c->buf, (uint32_t)n);
	c->credit.fwd += (uint32_t)n;
	return n > 0;
}

void vsock_host_flush(struct vsock *v, struct vsock_conn *c)
{
	while (vsock_host_put_held(v, c))
		continue;
	/* Of a message whose end the guest will not send nothing is passed on. */
	if (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND && c->seqpacket &&
	    vsock_buf_message(&c->buf) == 0)
		vsock_buf_drop(&c->buf, c->buf.nr);
	if (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND && c->buf.nr == 0)
		vsock_host_end(v, &c->out, c->in, SHUT_WR);
	if (c->state == VSOCK_DRAINING && c->out < 0)
		vsock_host_drop(v, c);
	else if (c->state == VSOCK_OPEN && vsock_credit_due(&c->credit))
		vsock_say(v, c, VSOCK_SAY_CREDIT);
}

/* Straight from the guest's buffers, as much as is taken; a message whole or not at all.  Return: bytes left */
static uint32_t vsock_host_put_chain(struct vsock *v, struct vsock_conn *c, struct vq_chain *from,
				     uint32_t len)
{
	while (len > 0 && c->can_write && c->out >= 0) {
		const unsigned int nr = vq_iov(from, VQ_READABLE, len, v->iov, VSOCK_IOV_MAX);
		ssize_t n = 0;

		if (c->seqpacket && nr == VSOCK_IOV_MAX)
			return len; /* perhaps not all of it */
		n = vsock_host_put(c, v->iov, nr);
		if (n < 0)
			vsock_host_write_over(v, c);
		if (n <= 0)
			return len;
		vq_skip(from, VQ_READABLE, (uint64_t)n);
		c->credit.fwd += (uint32_t)n;
		len -= (uint32_t)n;
	}
	return len;
}

void vsock_host_write(struct vsock *v, struct vsock_conn *c, struct vq_chain *from, uint32_t len,
		      bool end)
{
	if (c->buf.nr == 0 && (end || !c->seqpacket))
		len = vsock_host_put_chain(v, c, from, len);
	if (c->out < 0) {
		c->credit.fwd += len; /* it goes nowhere */
	} else if (len > 0) {
		vsock_buf_add(&c->buf, from, len);
		if (c->seqpacket && end)
			vsock_buf_end(&c->buf);
	}
	vsock_host_flush(v, c);
}

bool vsock_host_greet(struct vsock_conn *c)
{
	char line[24];
	size_t len;

	if (!c->greet)
		return true;
	c->greet = false;
	fmt_into(line, sizeof(line), "OK %u\n", c->host_port);
	len = strlen(line);
	return c->out >= 0 && write(c->out, line, len) == (ssize_t)len;
}

/* ---- being watched ---- */

/* Syscalls: epoll_ctl */
static int vsock_host_watch(struct vsock *v, const struct vsock_conn *c, int fd, uint64_t more)
{
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.u64 = vsock_table_ticket(&v->table, c) | more,
	};

	if (epoll_ctl(v->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0)
		return 0;
	return errno == EPERM ? 0 : -errno; /* /dev/null and files are always ready */
}

int vsock_host_attach(struct vsock *v, struct vsock_conn *c, int in, int out)
{
	int rc = 0;

	c->in = in;
	c->out = out;
	c->two = in != out;
	c->can_read = c->can_write = true;
	if (in >= 0)
		rc = vsock_host_watch(v, c, in, 0);
	if (rc == 0 && out >= 0 && out != in)
		rc = vsock_host_watch(v, c, out, VSOCK_TOKEN_OUT);
	return rc;
}

void vsock_host_event(struct vsock *v, struct vsock_conn *c, bool is_out, uint32_t events)
{
	if (events & ~(uint32_t)EPOLLOUT && !is_out)
		c->can_read = true;
	if (events & ~(uint32_t)EPOLLIN)
		c->can_write = true;
	if (c->state == VSOCK_OFFERED && !c->two && events & EPOLLHUP) {
		/* Its client has lost patience. */
		if (c->say & VSOCK_SAY_REQUEST)
			vsock_host_drop(v, c);
		else
			vsock_host_abort(v, c);
		return;
	}
	if (c->state != VSOCK_OPEN && c->state != VSOCK_DRAINING)
		return;
	/* A pipe without a reader; a socket or pty without a peer, which can still be read. */
	if (c->out >= 0 && (c->two ? is_out && events & EPOLLERR : events & EPOLLHUP))
		vsock_host_write_over(v, c);
	if (c->state == VSOCK_OPEN)
		vsock_say(v, c, 0);
	vsock_host_flush(v, c);
}

/* ---- beginning and end ---- */

struct vsock_conn *vsock_host_begin(struct vsock *v, uint32_t guest_port, uint32_t host_port,
				    bool seqpacket)
{
	struct vsock_conn *c = vsock_table_take(&v->table, guest_port, host_port, seqpacket);
	struct vsock_conn *oldest = vsock_table_first(&v->table, VSOCK_LIST_DRAIN);

	if (c || !oldest)
		return c;
	vsock_host_drop(v, oldest);
	return vsock_table_take(&v->table, guest_port, host_port, seqpacket);
}

void vsock_host_over(struct vsock *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_OPEN || c->buf.nr == 0 || c->out < 0) {
		vsock_host_drop(v, c);
		return;
	}
	c->state = VSOCK_DRAINING;
	c->say = 0;
	vsock_table_unname(&v->table, c);
	vsock_table_move(&v->table, c, VSOCK_LIST_DRAIN);
	c->guest_shut = VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND;
	vsock_host_stop(v, c);
	vsock_host_flush(v, c);
}

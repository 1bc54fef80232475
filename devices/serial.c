/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The line of a serial port: the caller's stdin and stdout
 *
 * The UART is the VMM's; what comes and goes by it are bytes (serial_msg.h).
 *
 * Input and output are lines (core/line.h). Output that fails is dropped, one message of the VMM at a time, and
 * the next is tried. Both files are watched edge-triggered, so that a lasting state (a hang-up, say) is
 * reported once. A file on a disk that hangs blocks the device; the VMM does not wait for it.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "devices/core/device.h"
#include "devices/core/fdio.h"
#include "devices/core/line.h"
#include "devices/core/serial_msg.h"

#define SERIAL_BATCH 64 /* messages handled before anything else is looked at */

/* A guest writes a byte at a time, and waits for none. So a message that was short is followed by another only after a
 * while, in which the VMM gathers bytes. */
#define SERIAL_GATHER_NS    1000000
#define SERIAL_GATHER_BYTES 1024U

enum serial_slot { SERIAL_VMM, SERIAL_SOURCE, SERIAL_SINK, SERIAL_TIMER };

#define SERIAL_FD_SOURCE (BOOT_FD_RES + 0)
#define SERIAL_FD_SINK	 (BOOT_FD_RES + 1)

/**
 * struct serial - State of one line
 * @room:	How much input the VMM has room for; 0 until it says so again
 * @out:	Output, @out_nr bytes from @out_at on; of one message, but for the VMM's last ones
 * @taken:	Bytes of the message that the VMM is still to be told of; 0: of none
 * @timer_fd:	When it will be told
 * @source, @sink: Where input comes from and output goes
 * @lost:	Bytes dropped since the last that could be written
 * @lost_limit, @found_limit: Budgets of log lines
 */
struct serial {
	uint8_t room;
	uint8_t out[SERIAL_HELD_MAX + SERIAL_OUT_MAX];
	unsigned int out_at, out_nr, taken;
	int timer_fd;
	struct line source, sink;
	uint64_t lost;
	struct log_limit lost_limit, found_limit;
};

/* ---- output ---- */

/* All that is held is lost */
static void serial_drop(struct serial *s, int errnum)
{
	s->lost += s->out_nr;
	s->out_nr = 0;
	log_limited(&s->lost_limit, LOG_LEVEL_WARN, "serial: %llu bytes of output are lost: %s",
		    (unsigned long long)s->lost, err_describe(errnum));
}

static void serial_written(struct serial *s, unsigned int len)
{
	s->out_at += len;
	s->out_nr -= len;
	if (s->lost > 0)
		log_limited(&s->found_limit, LOG_LEVEL_WARN,
			    "serial: output goes on; %llu bytes were lost",
			    (unsigned long long)s->lost);
	s->lost = 0;
}

static void serial_done(struct serial *s)
{
	const struct serial_msg done = {.op = SERIAL_DONE};

	s->taken = 0;
	/* The end of the VMM's messages shows that it is gone. */
	(void)!fd_try_send(BOOT_FD_VMM, &done, SERIAL_HEAD_BYTES);
}

/**
 * serial_gather() - Have the VMM send the next message, at once or after a while
 *
 * Context: locked
 * Syscalls: timerfd_settime sendto
 */
static void serial_gather(struct serial *s)
{
	static const struct itimerspec soon = {.it_value.tv_nsec = SERIAL_GATHER_NS};

	if (s->taken >= SERIAL_GATHER_BYTES || timerfd_settime(s->timer_fd, 0, &soon, NULL) < 0)
		serial_done(s);
}

/* Syscalls: read */
static void serial_gathered(struct serial *s)
{
	uint64_t count;

	if (read(s->timer_fd, &count, sizeof(count)) == sizeof(count) && s->taken > 0)
		serial_done(s);
}

/**
 * serial_flush() - Write what the sink takes, and have the VMM told when that was all
 *
 * Context: locked
 * Syscalls: ppoll write
 */
static void serial_flush(struct serial *s)
{
	if (s->out_nr == 0)
		return;
	while (s->out_nr > 0) {
		const ssize_t n = line_put(&s->sink, s->out + s->out_at, s->out_nr);

		if (n == -EAGAIN)
			return;
		if (n < 0)
			serial_drop(s, (int)-n);
		else
			serial_written(s, (unsigned int)n);
	}
	s->out_at = 0;
	serial_gather(s);
}

/* ---- input ---- */

/**
 * serial_fetch() - Pass on what has come in, if the VMM has room
 *
 * Context: locked
 * Syscalls: ppoll read recvfrom sendto
 */
static void serial_fetch(struct serial *s)
{
	struct serial_msg m = {.op = SERIAL_IN};
	const ssize_t n = s->room > 0 ? line_get(&s->source, m.data, s->room) : 0;

	if (n <= 0)
		return;
	m.len = (uint16_t)n;
	s->room = 0;
	(void)!fd_try_send(BOOT_FD_VMM, &m, SERIAL_HEAD_BYTES + m.len);
}

/* ---- the VMM ---- */

/* Carries out a message of @n bytes; 0 or -EPROTO. */
static int serial_hear(struct serial *s, const struct serial_msg *m, ssize_t n)
{
	if (n < (ssize_t)SERIAL_HEAD_BYTES || n != (ssize_t)SERIAL_HEAD_BYTES + m->len)
		return -EPROTO;
	if (m->op == SERIAL_OUT && m->room == 0 && m->len > 0 &&
	    m->len <= sizeof(s->out) - s->out_at - s->out_nr) {
		memcpy(s->out + s->out_at + s->out_nr, m->data, m->len);
		s->out_nr += m->len;
		s->taken += m->len;
		return 0;
	}
	if (m->op == SERIAL_ROOM && m->len == 0 && s->room == 0 && m->room > 0 &&
	    m->room <= SERIAL_IN_MAX) {
		s->room = m->room;
		return 0;
	}
	return -EPROTO;
}

/**
 * serial_receive() - Receive and carry out one message, if there is one
 *
 * Context: locked
 * Syscalls: recvmsg
 * Return: 0; -EAGAIN when none is waiting; -EPIPE when the VMM is gone; -EPROTO; else -errno
 */
static int serial_receive(struct serial *s)
{
	struct serial_msg m;
	struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(BOOT_FD_VMM, &hdr, MSG_DONTWAIT);

	if (n <= 0)
		return n == 0 ? -EPIPE : -errno;
	return hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EPROTO : serial_hear(s, &m, n);
}

static void serial_vmm_ready(struct device *d)
{
	struct serial *s = d->state;
	int rc = 0;

	for (int i = 0; i < SERIAL_BATCH && rc == 0; i++) {
		rc = serial_receive(s);
		/* Reported once, ahead of what the VMM left. */
		if (rc == -ECONNRESET)
			rc = 0;
	}
	if (rc == 0 || rc == -EAGAIN || rc == -EINTR)
		return;
	if (rc != -EPIPE) {
		log_err("serial: message from the VMM: %s", err_describe(-rc));
		s->out_nr = 0;
	}
	loop_stop(d->loop);
}

static void serial_event(struct device *d, unsigned int slot, uint32_t events)
{
	(void)events;
	if (slot == SERIAL_VMM)
		serial_vmm_ready(d);
	if (slot == SERIAL_TIMER)
		serial_gathered(d->state);
	serial_flush(d->state);
	serial_fetch(d->state);
}

/* The VMM is gone. The rest of the output waits for its reader, and the supervisor waits for us. */
static void serial_finish(struct device *d)
{
	struct serial *s = d->state;

	while (s->out_nr > 0) {
		(void)!line_ready(&s->sink, POLLOUT, NULL);
		serial_flush(s);
	}
}

/* Regular files and /dev/null cannot be watched, and are always ready. */
static int serial_watch(struct device *d, unsigned int slot, int fd, uint32_t events,
			struct err *err)
{
	int rc = device_watch(d, slot, fd, events | EPOLLET, err);

	return rc == -EPERM ? 0 : rc;
}

/**
 * serial_init() - Take over input and output
 * @d:		Zeroed state
 * @rec:	Two resources: input, output
 * @err:	Filled on failure
 *
 * Context: setup
 * Syscalls: fstat epoll_ctl timerfd_create
 * Return: 0 or -errno
 */
static int serial_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct serial *s = d->state;
	int rc;

	if (rec->nr_res != 2 || rec->settings_bytes != 0 || rec->flags & BOOT_DEV_ALONE)
		return err_text(err, EINVAL, "%s: %u resources, not 2; or settings; or no VMM",
				rec->name, rec->nr_res);
	rc = line_init(SERIAL_FD_SOURCE, &s->source, err);
	if (rc == 0)
		rc = line_init(SERIAL_FD_SINK, &s->sink, err);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (rc == 0 && s->timer_fd < 0)
		rc = err_set(err, errno, "timer");
	if (rc == 0)
		rc = device_watch(d, SERIAL_TIMER, s->timer_fd, EPOLLIN, err);
	if (rc == 0)
		rc = serial_watch(d, SERIAL_SOURCE, SERIAL_FD_SOURCE, EPOLLIN, err);
	if (rc == 0)
		rc = serial_watch(d, SERIAL_SINK, SERIAL_FD_SINK, EPOLLOUT, err);
	return rc == 0 ? device_watch(d, SERIAL_VMM, BOOT_FD_VMM, EPOLLIN, err) : rc;
}

const struct device_ops serial_device = {
	.kind = &kind_table[KIND_SERIAL],
	.state_size = sizeof(struct serial),
	.init = serial_init,
	.event = serial_event,
	.finish = serial_finish,
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/serial_port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "devices/core/fdio.h"
#include "devices/core/serial_msg.h"

#define SERIAL_PORT_STEP_MS 100

_Static_assert(sizeof(struct serial_msg) == 4, "the serial device checks the size");

static void serial_port_fail(struct serial_port *s, int errnum, const char *what)
{
	struct err err = {0};

	if (s->dead)
		return;
	s->dead = true;
	err_set(&err, errnum, "%s", what);
	if (s->hook.fn)
		s->hook.fn(s->hook.arg, s->name, &err);
}

/*
 * Waits for @events; 0, -ETIMEDOUT or -errno. The time is counted in steps rather than by a clock: while
 * the VM is frozen or stopped as a whole it passes for us and not for the device.
 */
static int serial_port_wait(const struct serial_port *s, short events)
{
	int left_ms = s->timeout_ms;

	while (left_ms > 0) {
		struct pollfd p = {.fd = s->sock, .events = events};
		int step_ms = left_ms < SERIAL_PORT_STEP_MS ? left_ms : SERIAL_PORT_STEP_MS;
		int rc = poll(&p, 1, step_ms);

		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -errno;
		left_ms -= step_ms;
	}
	return -ETIMEDOUT;
}

static int serial_port_send(struct serial_port *s, const struct serial_msg *m)
{
	int rc = fd_try_send(s->sock, m, sizeof(*m));

	if (rc == -EAGAIN && !s->stalled) {
		rc = serial_port_wait(s, POLLOUT);
		if (rc == 0)
			rc = fd_try_send(s->sock, m, sizeof(*m));
	}
	s->stalled = rc == -EAGAIN || rc == -ETIMEDOUT;
	return rc;
}

static void serial_port_write(struct serial_port *s, unsigned int reg, uint8_t value)
{
	struct serial_msg m = {.op = SERIAL_WRITE, .reg = (uint8_t)reg, .value = value};
	int rc = serial_port_send(s, &m);

	/* Whoever reads the device's output may be slow for long: the guest goes on without. */
	if (rc < 0 && s->stalled)
		log_limited(&s->limit, LOG_LEVEL_WARN, "%s: output is lost", s->name);
	else if (rc < 0)
		serial_port_fail(s, -rc, "write");
}

/* The answer to a read; 0 or -errno. */
static int serial_port_answer(struct serial_port *s, unsigned int reg, uint8_t *ret_value)
{
	int fds[FDIO_FDS_MAX];
	unsigned int nr_fds = 0;
	struct serial_msg m = {0};
	ssize_t n = serial_port_wait(s, POLLIN);

	if (n == 0)
		n = fd_recv(s->sock, &m, sizeof(m), fds, &nr_fds);
	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	for (unsigned int i = 0; i < nr_fds; i++)
		close(fds[i]);
	if (nr_fds > 0 || n != sizeof(m) || m.op != SERIAL_READ || m.reg != reg || m.reserved != 0)
		return -EPROTO;
	*ret_value = m.value;
	return 0;
}

static uint8_t serial_port_read(struct serial_port *s, unsigned int reg)
{
	struct serial_msg m = {.op = SERIAL_READ, .reg = (uint8_t)reg};
	uint8_t value = 0xff;
	int rc;

	/* A read waits even when writes do not: its answer is what the guest goes by. */
	s->stalled = false;
	rc = serial_port_send(s, &m);
	if (rc == 0)
		rc = serial_port_answer(s, reg, &value);
	if (rc < 0)
		serial_port_fail(s, -rc, "read");
	return value;
}

/* Wider accesses are as many of one byte, as the bus of a PC makes of them. */
static void serial_port_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct serial_port *s = dev;
	uint8_t *byte = data;

	for (unsigned int i = 0; i < len; i++) {
		unsigned int reg = (unsigned int)off + i;

		if (s->dead && !write)
			byte[i] = 0xff;
		else if (!s->dead && write)
			serial_port_write(s, reg, byte[i]);
		else if (!s->dead)
			byte[i] = serial_port_read(s, reg);
	}
}

static int serial_port_setup(struct serial_port *s, const struct serial_port_args *args,
			     struct err *err)
{
	struct serial_msg m = {.op = SERIAL_SETUP};
	int rc;

	s->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->irq_fd < 0)
		return err_set(err, errno, "eventfd");
	rc = vm_irqfd(args->vm, true, SERIAL_PORT_GSI, s->irq_fd);
	if (rc < 0)
		return err_set(err, -rc, "KVM_IRQFD of GSI %d", SERIAL_PORT_GSI);
	rc = fd_send(s->sock, &m, sizeof(m), &s->irq_fd, 1);
	if (rc < 0)
		return err_set(err, -rc, "SERIAL_SETUP");
	return bus_add(s->bus, BUS_PIO, SERIAL_PORT_BASE, SERIAL_PORT_BYTES, serial_port_access, s,
		       err);
}

int serial_port_init(struct serial_port *s, const struct serial_port_args *args, struct err *err)
{
	int rc;

	*s = (struct serial_port){
		.name = args->name,
		.bus = args->bus,
		.sock = args->sock,
		.irq_fd = -1,
		.timeout_ms = SERIAL_PORT_TIMEOUT_MS,
	};
	rc = serial_port_setup(s, args, err);
	if (rc < 0)
		serial_port_done(s);
	return rc;
}

/* Main loop: the device's process is gone. */
static void serial_port_on_hangup(void *arg, int fd, uint32_t events)
{
	struct serial_port *s = arg;

	if (!(events & (EPOLLHUP | EPOLLERR)))
		return;
	loop_del(s->loop, fd);
	pthread_mutex_lock(&s->bus->lock);
	serial_port_fail(s, EPIPE, "the device's process is gone");
	pthread_mutex_unlock(&s->bus->lock);
}

int serial_port_watch(struct serial_port *s, struct loop *loop, struct err *err)
{
	s->loop = loop;
	/* Answers are read by the vCPU that asked; only the end is the loop's business. */
	return loop_add(loop, s->sock, 0, serial_port_on_hangup, s, err);
}

void serial_port_done(struct serial_port *s)
{
	if (s->sock > 0)
		close(s->sock);
	if (s->irq_fd > 0)
		close(s->irq_fd);
	s->sock = s->irq_fd = -1;
}

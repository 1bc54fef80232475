/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/serial_port.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"
#include "vmm/arch.h"

/* Room for all output that may be left at the end, and for the kernel's overhead per message */
#define SERIAL_PORT_SNDBUF_BYTES (4 * (int)SERIAL_HELD_MAX)

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

static int serial_port_post(struct serial_port *s, const struct serial_msg *m)
{
	int rc = fd_try_send(s->sock, m, SERIAL_HEAD_BYTES + m->len);

	if (rc < 0 && rc != -EAGAIN)
		serial_port_fail(s, -rc, "write");
	return rc;
}

/* Sends one message of output; false if there is none or it cannot be sent */
static bool serial_port_post_output(struct serial_port *s)
{
	struct serial_msg m = {.op = SERIAL_OUT};

	m.len = (uint16_t)uart_take(&s->uart, m.data, SERIAL_OUT_MAX);
	return m.len > 0 && serial_port_post(s, &m) == 0;
}

/* Called after every change, by the guest or the device: moves bytes on, raises the interrupt */
static void serial_port_update(struct serial_port *s)
{
	const uint64_t one = 1;
	struct serial_msg room = {.op = SERIAL_ROOM};
	unsigned int n = uart_room(&s->uart);

	n = n < s->in_nr ? n : s->in_nr;
	uart_receive(&s->uart, s->in, n);
	s->in_nr -= n;
	memmove(s->in, s->in + n, s->in_nr);
	if (!s->dead && !s->writing && s->uart.tx_nr > 0)
		s->writing = serial_port_post_output(s);
	room.room = (uint8_t)uart_room(&s->uart);
	if (!s->dead && s->room == 0 && s->in_nr == 0 && room.room > 0 &&
	    serial_port_post(s, &room) == 0)
		s->room = room.room;
	if (s->dead)
		s->uart.tx_nr = 0;
	/* Fails only if the counter is full, and then an edge is pending anyway. */
	if (uart_edge(&s->uart) && write(s->irq_fd, &one, sizeof(one)) < 0)
		return;
}

/* A wider access is several of one byte, in the order of their addresses. */
static void serial_port_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct serial_port *s = dev;
	uint8_t *byte = data;

	for (unsigned int i = 0; i < len; i++) {
		unsigned int reg = (unsigned int)off + i;

		if (write)
			uart_write(&s->uart, reg, byte[i]);
		else
			byte[i] = uart_read(&s->uart, reg);
		serial_port_update(s);
	}
	if (s->uart.lost == s->lost || s->dead)
		return;
	log_limited(&s->limit, LOG_LEVEL_WARN,
		    "%s: the guest does not wait for room: %llu bytes of output are lost", s->name,
		    (unsigned long long)s->uart.lost);
	s->lost = s->uart.lost;
}

/* ---- what the device says ---- */

/* Carries out a message of @n bytes; 0 or -EPROTO. */
static int serial_port_hear(struct serial_port *s, const struct serial_msg *m, ssize_t n)
{
	if (n < (ssize_t)SERIAL_HEAD_BYTES || m->room != 0 ||
	    n != (ssize_t)SERIAL_HEAD_BYTES + m->len)
		return -EPROTO;
	if (m->op == SERIAL_DONE && m->len == 0 && s->writing) {
		s->writing = false;
		return 0;
	}
	if (m->op == SERIAL_IN && m->len > 0 && m->len <= s->room) {
		memcpy(s->in, m->data, m->len);
		s->in_nr = m->len;
		s->room = 0;
		return 0;
	}
	return -EPROTO;
}

static void serial_port_on_message(void *arg, int fd, uint32_t events UNUSED)
{
	struct serial_port *s = arg;
	int fds[FDIO_FDS_MAX];
	unsigned int nr_fds = 0;
	struct serial_msg m = {0};
	ssize_t n = fd_recv(fd, &m, sizeof(m), fds, &nr_fds);
	int rc;

	for (unsigned int i = 0; i < nr_fds; i++)
		close(fds[i]);
	pthread_mutex_lock(&s->bus->lock);
	if (n == 0 || n == -ECONNRESET) {
		serial_port_fail(s, EPIPE, "the device's process is gone");
	} else {
		rc = n < 0 ? (int)n : nr_fds > 0 ? -EPROTO : serial_port_hear(s, &m, n);
		if (rc < 0)
			serial_port_fail(s, -rc, "message from the device");
	}
	if (s->dead)
		loop_del(s->loop, fd);
	serial_port_update(s);
	pthread_mutex_unlock(&s->bus->lock);
}

void serial_port_finish(struct serial_port *s)
{
	pthread_mutex_lock(&s->bus->lock);
	while (!s->dead && serial_port_post_output(s))
		;
	if (!s->dead && s->uart.tx_nr > 0)
		log_warn("%s: the end of the output is lost", s->name);
	pthread_mutex_unlock(&s->bus->lock);
}

/* ---- from start to end ---- */

static int serial_port_setup(struct serial_port *s, const struct serial_port_args *args,
			     struct err *err)
{
	const int bytes = SERIAL_PORT_SNDBUF_BYTES;
	int rc;

	if (setsockopt(s->sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0)
		return err_set(err, errno, "SO_SNDBUF");
	s->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->irq_fd < 0)
		return err_set(err, errno, "eventfd");
	rc = vm_irqfd(args->vm, true, arch.serial_irq, s->irq_fd);
	if (rc < 0)
		return err_set(err, -rc, "KVM_IRQFD of interrupt line %u", arch.serial_irq);
	return bus_add(s->bus, arch.serial_space, arch.serial_base, SERIAL_PORT_BYTES,
		       serial_port_access, s, err);
}

int serial_port_init(struct serial_port *s, const struct serial_port_args *args, struct err *err)
{
	int rc;

	*s = (struct serial_port){
		.name = args->name,
		.bus = args->bus,
		.sock = args->sock,
		.irq_fd = -1,
	};
	rc = serial_port_setup(s, args, err);
	if (rc < 0)
		serial_port_done(s);
	return rc;
}

int serial_port_watch(struct serial_port *s, struct loop *loop, struct err *err)
{
	s->loop = loop;
	return loop_add(loop, s->sock, EPOLLIN, serial_port_on_message, s, err);
}

void serial_port_done(struct serial_port *s)
{
	if (s->sock > 0)
		close(s->sock);
	if (s->irq_fd > 0)
		close(s->irq_fd);
	s->sock = s->irq_fd = -1;
}

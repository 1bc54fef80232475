/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The control queues of multiport (virtio 1.3 section 5.3.6.2)
 *
 *   guest  DEVICE_READY        device  PORT_ADD for each port
 *   guest  PORT_READY          device  CONSOLE_PORT and RESIZE (hvc0), PORT_NAME (others), PORT_OPEN
 *   guest  PORT_OPEN           the port takes input, or no more
 *
 * Each message that a port owes the guest is a bit, so the guest can ask as often as it likes.
 *
 * A host port is always open: without a user its output goes to the history. RESIZE has the columns first, as the
 * specification wants it; Linux before 6.15, and 6.1 before Debian's latest, swaps them.
 */
#include "devices/console/console_guest.h"

#include <string.h>

#include "devices/console/console_peers.h"

/** struct console_message - A control message to the guest, with what may follow its head */
struct console_message {
	struct virtio_console_control head;
	union {
		struct {
			uint16_t cols, rows;
		} size;
		char name[CONSOLE_NAME_BYTES];
	};
};

void console_guest_forget(struct console *c)
{
	for (unsigned int i = 0; i < c->settings.nr_ports; i++) {
		struct console_kept_port *k = c->port[i].kept;

		k->tell = k->known = k->open = 0;
	}
}

static void console_guest_ready(struct console *c, bool ready)
{
	console_guest_forget(c);
	for (unsigned int i = 0; ready && i < c->settings.nr_ports; i++)
		c->port[i].kept->tell = CONSOLE_TELL_ADD;
}

static void console_guest_port_ready(struct console *c, unsigned int port, bool ready)
{
	const uint32_t first = port == 0 ? CONSOLE_TELL_HVC | CONSOLE_TELL_SIZE : CONSOLE_TELL_NAME;

	c->port[port].kept->known = ready;
	c->port[port].kept->tell = ready ? first | CONSOLE_TELL_OPEN : 0;
}

/* A port that does not exist, or an event that only devices send, has no effect. */
static void console_guest_obey(struct device *d, const struct virtio_console_control *m)
{
	struct console *c = d->state;

	if (m->event == VIRTIO_CONSOLE_DEVICE_READY)
		console_guest_ready(c, m->value == 1);
	if (m->id >= c->settings.nr_ports)
		return;
	if (m->event == VIRTIO_CONSOLE_PORT_READY)
		console_guest_port_ready(c, m->id, m->value == 1);
	if (m->event != VIRTIO_CONSOLE_PORT_OPEN)
		return;
	c->port[m->id].kept->open = m->value == 1;
	console_peers_input(d, m->id);
}

void console_guest_hear(struct device *d)
{
	const unsigned int q = CONSOLE_QUEUE_BY_GUEST;
	struct console *c = d->state;
	unsigned int budget = DEVICE_BATCH;
	enum vq_result rc = VQ_CHAIN;

	while (budget-- > 0 && (rc = vq_pop(&d->vq[q], &c->chain)) == VQ_CHAIN) {
		struct virtio_console_control m;
		const bool whole = vq_read(&c->chain, &m, sizeof(m)) == sizeof(m);

		const uint16_t head = c->chain.head;

		if (whole)
			console_guest_obey(d, &m); /* uses c->chain */
		CONSOLE_KEPT_ORDER();
		vq_fill_head(&d->vq[q], head, 0);
		vq_publish(&d->vq[q]);
	}
	device_end_turn(d, q, rc);
	console_guest_tell(d);
}

/* The next message about a port, and its bit; returns its size, 0 when there is none */
static size_t console_guest_next(const struct console *c, unsigned int port,
				 struct console_message *m, uint32_t *ret_bit)
{
	static const uint16_t events[] = {VIRTIO_CONSOLE_PORT_ADD, VIRTIO_CONSOLE_CONSOLE_PORT,
					  VIRTIO_CONSOLE_RESIZE, VIRTIO_CONSOLE_PORT_NAME,
					  VIRTIO_CONSOLE_PORT_OPEN};
	const uint32_t tell = c->port[port].kept->tell & CONSOLE_TELL_ALL;
	unsigned int bit;

	if (tell == 0)
		return 0;
	bit = (unsigned int)__builtin_ctz(tell);
	*ret_bit = 1U << bit;
	*m = (struct console_message){.head = {.id = port, .event = events[bit], .value = 1}};
	if (1U << bit == CONSOLE_TELL_SIZE) {
		m->size.rows = c->settings.rows;
		m->size.cols = c->settings.cols;
		return sizeof(m->head) + sizeof(m->size);
	}
	if (1U << bit != CONSOLE_TELL_NAME)
		return sizeof(m->head);
	memcpy(m->name, c->settings.name[port], sizeof(m->name));
	return sizeof(m->head) + strnlen(m->name, sizeof(m->name));
}

/* The port with the next message; nr_ports when there is none */
static unsigned int console_guest_port(const struct console *c)
{
	unsigned int i = 0;

	while (i < c->settings.nr_ports && !(c->port[i].kept->tell & CONSOLE_TELL_ALL))
		i++;
	return i;
}

void console_guest_tell(struct device *d)
{
	const unsigned int q = CONSOLE_QUEUE_TO_GUEST;
	struct console *c = d->state;
	enum vq_result rc = VQ_EMPTY;
	struct console_message m;
	uint32_t bit = 0;
	unsigned int port;

	if (!c->multiport || !d->runs[q])
		return;
	while ((port = console_guest_port(c)) < c->settings.nr_ports &&
	       (rc = vq_pop(&d->vq[q], &c->chain)) == VQ_CHAIN) {
		const size_t bytes = console_guest_next(c, port, &m, &bit);

		if (vq_write(&c->chain, &m, bytes) != bytes) {
			device_broken(d, q, "control buffer smaller than its message");
			return;
		}
		vq_push(&d->vq[q], &c->chain);
		CONSOLE_KEPT_ORDER();
		c->port[port].kept->tell &= ~bit;
	}
	device_end_turn(d, q, rc == VQ_BROKEN ? rc : VQ_EMPTY);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Output: from the guest to the history, and on to its readers
 *
 * A turn moves all that the guest has made available, with one interrupt, and then has each reader write once.
 * When the history has no room, because a reader that is not late has not read the oldest bytes, the chain at
 * hand is held and the timer set.
 */
#include "devices/console/console_output.h"

#include <errno.h>
#include <sys/timerfd.h>

#define CONSOLE_TURN_BYTES (1U << 20) /* before others have their turn */

/* Syscalls: clock_gettime */
static uint64_t console_output_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/*
 * Sets the timer to the earliest time at which a port is due, unless it goes off before.
 * Syscalls: timerfd_settime
 */
static void console_output_set_timer(struct console *c)
{
	struct itimerspec t = {.it_value.tv_sec = 0};
	uint64_t due = UINT64_MAX;

	for (unsigned int i = 0; i < c->settings.nr_ports; i++)
		if (c->port[i].due_ns && c->port[i].due_ns < due)
			due = c->port[i].due_ns;
	if (due == UINT64_MAX || (c->armed_ns && c->armed_ns <= due))
		return;
	t.it_value.tv_sec = (time_t)(due / 1000000000U);
	t.it_value.tv_nsec = (long)(due % 1000000000U);
	if (timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &t, NULL) == 0)
		c->armed_ns = due;
}

static void console_output_flush(struct console *c, unsigned int port)
{
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++)
		if (c->reader[i].role != CONSOLE_FREE && c->reader[i].port == port)
			console_reader_flush(&c->reader[i], &c->port[port].kept->history);
}

/* What all readers that the guest waits for have room for */
static uint32_t console_output_room(const struct console *c, unsigned int port)
{
	uint32_t room = CONSOLE_HISTORY_BYTES;

	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++) {
		const struct console_reader *r = &c->reader[i];
		uint32_t its = room;

		if (r->role != CONSOLE_FREE && r->port == port)
			its = console_reader_room(r, &c->port[port].kept->history);
		room = its < room ? its : room;
	}
	return room;
}

/* The guest waits no longer for readers that have less room than this */
static void console_output_give_up(struct console *c, unsigned int port, uint32_t bytes)
{
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++) {
		struct console_reader *r = &c->reader[i];

		if (r->role != CONSOLE_FREE && r->port == port &&
		    console_reader_room(r, &c->port[port].kept->history) < bytes)
			console_reader_give_up(r);
	}
}

/* Moves up to @max bytes of the chain at hand; how many */
static uint32_t console_output_copy(struct console_port *p, uint32_t max)
{
	uint32_t bytes;
	uint8_t *room = console_history_room(&p->kept->history, &bytes);

	bytes = (uint32_t)vq_read(&p->chain, room, bytes < max ? bytes : max);
	CONSOLE_KEPT_ORDER();
	p->kept->history.end += bytes;
	CONSOLE_KEPT_ORDER();
	p->moved += bytes;
	if (p->moved >= CONSOLE_STEP_BYTES)
		p->due_ns = 0;
	return bytes;
}

/* Moves what the history has room for; false when some of the chain is left */
static bool console_output_chain(struct console *c, unsigned int port, uint32_t *left)
{
	struct console_port *p = &c->port[port];

	while (vq_left(&p->chain, VQ_READABLE) > 0 && *left > 0) {
		uint32_t room = console_output_room(c, port);

		if (room == 0) {
			console_output_flush(c, port);
			room = console_output_room(c, port);
		}
		if (room == 0)
			return false;
		*left -= console_output_copy(p, room < *left ? room : *left);
	}
	return vq_left(&p->chain, VQ_READABLE) == 0;
}

/* The guest waits for a reader: not for ever */
static void console_output_wait(struct console *c, struct console_port *p)
{
	if (p->due_ns)
		return;
	p->moved = 0;
	p->due_ns = console_output_now_ns() + CONSOLE_PATIENCE_NS;
	console_output_set_timer(c);
}

/* A chain that the last process had in hand goes on behind what it moved of it */
static enum vq_result console_output_pop(struct vq *q, struct console_port *p)
{
	struct console_kept_port *k = p->kept;
	const bool again = vq_pops_again(q);
	enum vq_result rc;

	if (!again)
		k->began = k->history.end;
	CONSOLE_KEPT_ORDER();
	rc = vq_pop(q, &p->chain);
	if (rc == VQ_CHAIN && again) {
		const uint64_t moved = k->history.end - k->began;
		const uint64_t left = vq_left(&p->chain, VQ_READABLE);

		vq_skip(&p->chain, VQ_READABLE, moved < left ? moved : left);
	}
	return rc;
}

void console_output_move(struct device *d, unsigned int port)
{
	const unsigned int q = CONSOLE_QUEUE_TX(port);
	struct console *c = d->state;
	struct console_port *p = &c->port[port];
	uint32_t left = CONSOLE_TURN_BYTES;
	unsigned int budget = d->runs[q] && !d->vq[q].broken ? DEVICE_BATCH : 0;
	enum vq_result rc = VQ_EMPTY;

	while (budget > 0 && left > 0) {
		rc = p->holds ? VQ_CHAIN : console_output_pop(&d->vq[q], p);
		if (rc != VQ_CHAIN)
			break;
		p->holds = !console_output_chain(c, port, &left);
		budget--;
		if (!p->holds) {
			vq_push(&d->vq[q], &p->chain);
		} else if (left > 0) {
			console_output_wait(c, p);
			rc = VQ_EMPTY; /* a reader or the timer brings it back here, not the guest */
			break;
		}
	}
	console_output_flush(c, port);
	device_end_turn(d, q, rc);
}

void console_output_late(struct device *d)
{
	struct console *c = d->state;
	const uint64_t now = console_output_now_ns();
	uint64_t count;

	if (read(c->timer_fd, &count, sizeof(count)) < 0 && errno == EAGAIN)
		return;
	c->armed_ns = 0;
	for (unsigned int i = 0; i < c->settings.nr_ports; i++) {
		struct console_port *p = &c->port[i];

		if (!p->due_ns || p->due_ns > now)
			continue;
		p->due_ns = 0;
		if (!p->holds)
			continue;
		console_output_give_up(c, i, 1);
		console_output_move(d, i);
	}
	console_output_set_timer(c);
}

void console_output_byte(struct device *d, uint8_t byte)
{
	struct console *c = d->state;
	struct console_history *h = &c->port[0].kept->history;
	uint32_t bytes;

	console_output_flush(c, 0);
	console_output_give_up(c, 0, 1);
	*console_history_room(h, &bytes) = byte;
	c->port[0].kept->began++; /* a chain at hand has moved no more for it */
	h->end++;
	console_output_flush(c, 0);
}

void console_output_stop(struct device *d, unsigned int port)
{
	struct console *c = d->state;
	struct console_port *p = &c->port[port];
	const unsigned int q = CONSOLE_QUEUE_TX(port);
	uint32_t left = CONSOLE_HISTORY_BYTES;
	uint64_t rest;

	console_output_move(d, port);
	if (!p->holds)
		return;
	rest = vq_left(&p->chain, VQ_READABLE);
	console_output_give_up(c, port, rest < left ? (uint32_t)rest : left);
	(void)console_output_chain(c, port, &left);
	p->holds = false;
	vq_push(&d->vq[q], &p->chain);
	device_signal(d, q);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Input: from the source and from attached users into the guest's buffers
 *
 * All users of a port see its output, and all may type; their bytes come in the order in which they are read.
 * Input waits in its line until the guest has room.
 */
#include "devices/console/console_peers.h"

#include <errno.h>

#include "devices/console/console_output.h"

#define CONSOLE_INPUT_BYTES 4096U /* of one line in one go */
#define CONSOLE_INPUT_TURNS 16U

/* Syscalls: epoll_ctl close */
static void console_peers_drop(struct device *d, struct console_reader *r)
{
	loop_del(d->loop, r->line.fd);
	close(r->line.fd);
	*r = (struct console_reader){.role = CONSOLE_FREE};
}

static void console_peers_ready(void *arg, int fd UNUSED, uint32_t events)
{
	const struct console_watch *w = arg;
	struct console *c = w->d->state;
	struct console_reader *r = &c->reader[w->reader];
	const unsigned int port = r->port;

	r->gone = r->gone || events & (EPOLLHUP | EPOLLERR);
	console_output_move(w->d, port);
	console_peers_input(w->d, port);
}

/* A place for one more: a free one, or that of a user who has left what was typed behind */
static unsigned int console_peers_place(struct device *d)
{
	struct console *c = d->state;
	unsigned int i;

	for (i = 0; i < CONSOLE_READERS_MAX; i++)
		if (c->reader[i].role == CONSOLE_FREE &&
		    i >= CONSOLE_READERS_MAX - CONSOLE_PEERS_MAX)
			return i;
	for (i = 0; i < CONSOLE_READERS_MAX; i++) {
		if (c->reader[i].role != CONSOLE_PEER || !c->reader[i].gone)
			continue;
		console_peers_drop(d, &c->reader[i]);
		break;
	}
	return i;
}

int console_peers_attach(struct device *d, int fd, unsigned int port, struct err *err)
{
	struct console *c = d->state;
	const unsigned int i = console_peers_place(d);
	struct line line;
	int rc = line_init(fd, &line, err);

	if (i == CONSOLE_READERS_MAX)
		return err_text(err, EBUSY, "%u users are attached: there is room for no more",
				CONSOLE_PEERS_MAX);
	if (rc == 0 && !line.is_socket)
		rc = err_text(err, EINVAL, "what is attached is not a socket");
	c->watched[i] = (struct console_watch){.d = d, .reader = i};
	if (rc == 0)
		rc = loop_add(d->loop, fd, EPOLLIN | EPOLLOUT | EPOLLET, console_peers_ready,
			      &c->watched[i], err);
	if (rc < 0)
		return rc;
	c->reader[i] = (struct console_reader){
		.role = CONSOLE_PEER,
		.line = line,
		.port = port,
		.at = console_history_first(&c->port[port].history),
	};
	console_reader_flush(&c->reader[i], &c->port[port].history);
	return 0;
}

/* One read into one buffer of the guest: what line_get() said, or -EAGAIN when the guest has no buffer */
static ssize_t console_peers_fetch(struct device *d, unsigned int port, const struct line *l)
{
	struct console *c = d->state;
	struct vq *q = &d->vq[CONSOLE_QUEUE_RX(port)];
	uint8_t buf[CONSOLE_INPUT_BYTES];
	uint64_t room;
	ssize_t n;

	if (vq_pop(q, &c->chain) != VQ_CHAIN)
		return -EAGAIN;
	room = vq_left(&c->chain, VQ_WRITABLE);
	n = room > 0 ? line_get(l, buf, room < sizeof(buf) ? room : sizeof(buf)) : 0;
	if (n <= 0 && room > 0) {
		vq_unpop(q, c->chain.head);
		return n;
	}
	(void)vq_write(&c->chain, buf, (size_t)n);
	vq_push(q, &c->chain);
	return 1; /* goes on, also after a buffer without room */
}

/* False when the line has no more to give, now or for ever */
static bool console_peers_read(struct device *d, unsigned int port, const struct line *l,
			       ssize_t *ret_last)
{
	unsigned int turns = CONSOLE_INPUT_TURNS;

	do
		*ret_last = console_peers_fetch(d, port, l);
	while (*ret_last > 0 && --turns > 0);
	return *ret_last > 0;
}

void console_peers_input(struct device *d, unsigned int port)
{
	const unsigned int q = CONSOLE_QUEUE_RX(port);
	struct console *c = d->state;
	bool more = false;
	ssize_t last;

	if (!c->port[port].open || !d->runs[q] || d->vq[q].broken)
		return;
	if (port == 0 && c->source.fd >= 0)
		more = console_peers_read(d, port, &c->source, &last);
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++) {
		struct console_reader *r = &c->reader[i];

		if (r->role != CONSOLE_PEER || r->port != port)
			continue;
		more = console_peers_read(d, port, &r->line, &last) || more;
		if (r->gone && last <= 0 && last != -EAGAIN)
			console_peers_drop(d, r);
	}
	device_end_turn(d, q, d->vq[q].broken ? VQ_BROKEN : more ? VQ_CHAIN : VQ_EMPTY);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Input: from the source and from attached users into the guest's buffers
 *
 * All users of a port see its output, and all may type; their bytes come in the order in which they are read.
 * Input waits in its line until the guest has room.
 */
#include "devices/console/console_peers.h"

#include <errno.h>
#include <string.h>

#include "devices/console/console_output.h"

#define CONSOLE_INPUT_TURNS 16U /* of one line */

/* Syscalls: epoll_ctl close */
static void console_peers_drop(struct device *d, struct console_reader *r)
{
	if (r->line.fd >= 0) {
		loop_del(d->loop, r->line.fd);
		close(r->line.fd);
	}
	*r = (struct console_reader){.role = CONSOLE_FREE, .line.fd = -1};
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

/* Whether place @i is one of a user who has left what was typed behind, or never came to this process */
static bool console_peers_left(const struct console *c, unsigned int i)
{
	const struct console_reader *r = &c->reader[i];

	return r->role == CONSOLE_PEER && (r->gone || r->line.fd < 0);
}

/* A place for one more: its own of the last process, a free one, or that of a user who has left */
static unsigned int console_peers_place(struct device *d, uint64_t ticket, unsigned int port)
{
	struct console *c = d->state;
	unsigned int i, found = CONSOLE_READERS_MAX;

	for (i = CONSOLE_READERS_MAX - CONSOLE_PEERS_MAX; i < CONSOLE_READERS_MAX; i++) {
		const struct console_reader *r = &c->reader[i];

		if (ticket && r->role == CONSOLE_PEER && r->line.fd < 0 && r->ticket == ticket &&
		    r->port == port)
			return i;
		if (r->role == CONSOLE_FREE ||
		    (found == CONSOLE_READERS_MAX && console_peers_left(c, i)))
			found = i;
	}
	if (found < CONSOLE_READERS_MAX && c->reader[found].role != CONSOLE_FREE)
		console_peers_drop(d, &c->reader[found]);
	return found;
}

int console_peers_attach(struct device *d, int fd, unsigned int port, uint64_t ticket,
			 struct err *err)
{
	struct console *c = d->state;
	struct console_history *h = &c->port[port].kept->history;
	const unsigned int i = console_peers_place(d, ticket, port);
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
	if (c->reader[i].role == CONSOLE_FREE)
		c->reader[i] = (struct console_reader){.role = CONSOLE_PEER,
						       .port = port,
						       .ticket = ticket,
						       .at = console_history_first(h)};
	c->reader[i].line = line;
	console_reader_flush(&c->reader[i], h);
	return 0;
}

/* Reads from a line what a buffer of the guest has room for; what line_get() said */
static ssize_t console_peers_read(struct console_typed *t, const struct line *l, uint64_t room)
{
	const uint32_t max = room < sizeof(t->data) ? (uint32_t)room : (uint32_t)sizeof(t->data);
	ssize_t n;

	memset(t->data, CONSOLE_TYPED_NONE, max);
	CONSOLE_KEPT_ORDER();
	t->reading = max;
	CONSOLE_KEPT_ORDER();
	n = line_get(l, t->data, max);
	t->at = 0;
	t->nr = n > 0 ? (uint32_t)n : 0;
	CONSOLE_KEPT_ORDER();
	t->reading = 0;
	return n;
}

/* Gives the guest what has been read, in the chain at hand */
static void console_peers_give(struct vq *q, struct vq_chain *chain, struct console_typed *t)
{
	const uint32_t next = t->at + (uint32_t)vq_write(chain, t->data + t->at, t->nr - t->at);

	t->next = next;
	CONSOLE_KEPT_ORDER();
	vq_push(q, chain);
	CONSOLE_KEPT_ORDER();
	t->at = next;
	CONSOLE_KEPT_ORDER();
	t->next = 0;
}

/* One read into one buffer of the guest: what line_get() said, or -EAGAIN when the guest has no buffer */
static ssize_t console_peers_fetch(struct device *d, unsigned int port, const struct line *l)
{
	struct console *c = d->state;
	struct vq *q = &d->vq[CONSOLE_QUEUE_RX(port)];
	struct console_typed *t = &c->port[port].kept->typed;
	uint64_t room;
	ssize_t n = 1;

	/* The last process may have died between a push and its note. */
	if (t->next && !vq_pops_again(q))
		t->at = t->next;
	t->next = 0;
	if (!l && t->at == t->nr)
		return -EAGAIN;
	if (vq_pop(q, &c->chain) != VQ_CHAIN)
		return -EAGAIN;
	room = vq_left(&c->chain, VQ_WRITABLE);
	if (room > 0 && t->at == t->nr)
		n = console_peers_read(t, l, room);
	if (n <= 0) {
		vq_unpop(q, c->chain.head);
		return n;
	}
	console_peers_give(q, &c->chain, t);
	return 1; /* goes on, also after a buffer without room */
}

/* False when the line has no more to give, now or for ever. NULL: the last process read it already */
static bool console_peers_pump(struct device *d, unsigned int port, const struct line *l,
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
	ssize_t last;
	bool more;

	if (!c->port[port].kept->open || !d->runs[q] || d->vq[q].broken)
		return;
	more = console_peers_pump(d, port, NULL, &last);
	if (port == 0 && c->source.fd >= 0)
		more = console_peers_pump(d, port, &c->source, &last) || more;
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++) {
		struct console_reader *r = &c->reader[i];

		if (r->role != CONSOLE_PEER || r->port != port || r->line.fd < 0)
			continue;
		more = console_peers_pump(d, port, &r->line, &last) || more;
		if (r->gone && last <= 0 && last != -EAGAIN)
			console_peers_drop(d, r);
	}
	device_end_turn(d, q, d->vq[q].broken ? VQ_BROKEN : more ? VQ_CHAIN : VQ_EMPTY);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/vsock/vsock_table.h"

#define VSOCK_NOBODY UINT16_MAX

_Static_assert(VSOCK_CONNS_MAX<VSOCK_NOBODY && VSOCK_CONNS_MAX> VSOCK_LARGE, "an index fits");

static uint16_t vsock_table_index(const struct vsock_table *t, const struct vsock_conn *c)
{
	return (uint16_t)(c - t->conn);
}

static enum vsock_list vsock_table_free_list(const struct vsock_table *t,
					     const struct vsock_conn *c)
{
	return vsock_table_index(t, c) < VSOCK_LARGE ? VSOCK_LIST_LARGE : VSOCK_LIST_SMALL;
}

static uint16_t *vsock_table_bucket(struct vsock_table *t, uint32_t guest_port, uint32_t host_port)
{
	const uint32_t mixed = (guest_port ^ host_port * 0x85ebca6bU) * 0x9e3779b1U;

	return &t->bucket[mixed >> 20];
}

_Static_assert(VSOCK_BUCKETS == 1U << 12, "what the shift leaves");

static void vsock_table_place_buffer(struct vsock_table *t, unsigned int i)
{
	struct vsock_buf *b = &t->conn[i].buf;
	const unsigned int small = i < VSOCK_LARGE ? 0 : i - VSOCK_LARGE;
	const size_t off = (size_t)(i - small) * VSOCK_LARGE_BYTES +
			   (size_t)small * VSOCK_SMALL_BYTES;

	b->data = t->pool + off;
	b->ends = t->ends + off / 8;
	b->cap = i < VSOCK_LARGE ? VSOCK_LARGE_BYTES : VSOCK_SMALL_BYTES;
}

void vsock_table_init(struct vsock_table *t, unsigned int nr)
{
	vr_assert(nr > 0 && nr <= VSOCK_CONNS_MAX);
	t->nr = nr;
	t->next_port = VSOCK_PORT_FIRST;
	for (unsigned int i = 0; i < VSOCK_BUCKETS; i++)
		t->bucket[i] = VSOCK_NOBODY;
	for (unsigned int i = 0; i < VSOCK_LISTS; i++)
		t->first[i] = t->last[i] = VSOCK_NOBODY;
	for (unsigned int i = 0; i < nr; i++) {
		struct vsock_conn *c = &t->conn[i];

		c->list = VSOCK_LIST_NONE;
		c->in = c->out = -1;
		vsock_table_move(t, c, vsock_table_free_list(t, c));
	}
}

struct vsock_conn *vsock_table_find(struct vsock_table *t, uint32_t guest_port, uint32_t host_port)
{
	uint16_t i = *vsock_table_bucket(t, guest_port, host_port);

	while (i != VSOCK_NOBODY &&
	       (t->conn[i].guest_port != guest_port || t->conn[i].host_port != host_port))
		i = t->conn[i].next;
	return i == VSOCK_NOBODY ? NULL : &t->conn[i];
}

struct vsock_conn *vsock_table_take(struct vsock_table *t, uint32_t guest_port, uint32_t host_port,
				    bool seqpacket)
{
	struct vsock_conn *c = vsock_table_first(t, VSOCK_LIST_LARGE);
	uint16_t *bucket = vsock_table_bucket(t, guest_port, host_port);
	uint32_t generation;

	c = c ? c : vsock_table_first(t, VSOCK_LIST_SMALL);
	if (!c)
		return NULL;
	vsock_table_move(t, c, VSOCK_LIST_NONE);
	generation = c->generation;
	*c = (struct vsock_conn){
		.list = VSOCK_LIST_NONE,
		.seqpacket = seqpacket,
		.generation = generation,
		.guest_port = guest_port,
		.host_port = host_port,
		.next = *bucket,
		.in = -1,
		.out = -1,
	};
	vsock_table_place_buffer(t, vsock_table_index(t, c));
	c->credit.alloc = c->buf.cap;
	if (!seqpacket)
		c->buf.ends = NULL;
	*bucket = vsock_table_index(t, c);
	return c;
}

void vsock_table_unname(struct vsock_table *t, struct vsock_conn *c)
{
	uint16_t *i = vsock_table_bucket(t, c->guest_port, c->host_port);

	while (*i != VSOCK_NOBODY && &t->conn[*i] != c)
		i = &t->conn[*i].next;
	if (*i != VSOCK_NOBODY)
		*i = c->next;
}

void vsock_table_free(struct vsock_table *t, struct vsock_conn *c)
{
	vsock_table_unname(t, c);
	vsock_buf_drop(&c->buf, c->buf.nr);
	c->state = VSOCK_FREE;
	c->generation++;
	vsock_table_move(t, c, vsock_table_free_list(t, c));
}

uint32_t vsock_table_port(struct vsock_table *t, uint32_t guest_port)
{
	uint32_t port;

	/* Fewer connections than ports: one is free. */
	do {
		port = t->next_port;
		t->next_port = port == VSOCK_PORT_LAST ? VSOCK_PORT_FIRST : port + 1;
	} while (vsock_table_find(t, guest_port, port));
	return port;
}

void vsock_table_move(struct vsock_table *t, struct vsock_conn *c, enum vsock_list list)
{
	const uint16_t i = vsock_table_index(t, c);

	if (c->list != VSOCK_LIST_NONE) {
		if (c->before == VSOCK_NOBODY)
			t->first[c->list] = c->after;
		else
			t->conn[c->before].after = c->after;
		if (c->after == VSOCK_NOBODY)
			t->last[c->list] = c->before;
		else
			t->conn[c->after].before = c->before;
	}
	c->list = list;
	if (list == VSOCK_LIST_NONE)
		return;
	c->before = t->last[list];
	c->after = VSOCK_NOBODY;
	if (c->before == VSOCK_NOBODY)
		t->first[list] = i;
	else
		t->conn[c->before].after = i;
	t->last[list] = i;
}

struct vsock_conn *vsock_table_first(struct vsock_table *t, enum vsock_list list)
{
	return t->first[list] == VSOCK_NOBODY ? NULL : &t->conn[t->first[list]];
}

uint64_t vsock_table_ticket(const struct vsock_table *t, const struct vsock_conn *c)
{
	return (uint64_t)c->generation << 32 | vsock_table_index(t, c);
}

struct vsock_conn *vsock_table_of(struct vsock_table *t, uint64_t ticket)
{
	const uint32_t i = (uint32_t)ticket;

	if (i >= t->nr || t->conn[i].state == VSOCK_FREE ||
	    vsock_table_ticket(t, &t->conn[i]) != ticket)
		return NULL;
	return &t->conn[i];
}

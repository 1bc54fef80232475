/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The table of connections
 *
 * Of fixed size, with the buffers, in one piece of memory that is there before lockdown and takes up no page
 * before it is used. A connection is found by its two ports; a ticket names it to others and goes stale when
 * its place is free again. Each stands in at most one list, which says what it waits for.
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_TABLE_H
#define VMRUN_DEVICES_VSOCK_VSOCK_TABLE_H

#include "devices/core/settings.h"
#include "devices/vsock/vsock_buf.h"
#include "devices/vsock/vsock_credit.h"

/* The first so many places have buffers with which one stream is fast; the others have what does. */
#define VSOCK_LARGE	  128
#define VSOCK_LARGE_BYTES (256U << 10)
#define VSOCK_SMALL_BYTES (16U << 10)
#define VSOCK_POOL_BYTES                                                                           \
	(VSOCK_LARGE * VSOCK_LARGE_BYTES + (VSOCK_CONNS_MAX - VSOCK_LARGE) * VSOCK_SMALL_BYTES)

#define VSOCK_BUCKETS	 4096
#define VSOCK_PORT_FIRST (1U << 30) /* of the host's ports that we pick */
#define VSOCK_PORT_LAST	 (VSOCK_PORT_FIRST * 2 - 1)

enum vsock_state {
	VSOCK_FREE,
	VSOCK_ASKED,   /* the guest connects; the supervisor is asked for the host's end */
	VSOCK_OFFERED, /* the host connects; the guest has not answered */
	VSOCK_OPEN,
	VSOCK_DRAINING, /* over for the guest; the host's end gets what is held for it */
	VSOCK_STATES,
};

enum vsock_list {
	VSOCK_LIST_LARGE, /* free, with a large buffer */
	VSOCK_LIST_SMALL, /* free, with a small one */
	VSOCK_LIST_ASK,	  /* the supervisor has yet to be asked */
	VSOCK_LIST_READY, /* something for the guest */
	VSOCK_LIST_DRAIN, /* VSOCK_DRAINING */
	VSOCK_LISTS,
	VSOCK_LIST_NONE = VSOCK_LISTS,
};

/* What the guest has yet to hear, in this order */
#define VSOCK_SAY_REQUEST  (1U << 0)
#define VSOCK_SAY_RESPONSE (1U << 1)
#define VSOCK_SAY_CREDIT   (1U << 2)
#define VSOCK_SAY_SHUTDOWN (1U << 3)

/**
 * struct vsock_conn - One connection
 * @seqpacket:	Not a stream
 * @generation:	Counts the users of this place
 * @in, @out:	The host's end, for reading and for writing; owned, -1: that direction is over. One fd may be
 *		both: then @two is false
 * @can_read, @can_write: The fd has not said EAGAIN since it was ready last
 * @in_message:	A message of the host's is half read
 * @greet:	The host's end gets a line when the guest accepts
 * @lent:	The host's end is a socket that may block: each call says that it must not wait
 * @say:	VSOCK_SAY_*
 * @guest_shut, @host_shut: VIRTIO_VSOCK_SHUTDOWN_*, as the guest said, and as it hears
 * @next:	In its bucket
 * @before, @after: In its list
 */
struct vsock_conn {
	enum vsock_state state;
	enum vsock_list list;
	bool seqpacket;
	bool two, can_read, can_write, in_message, greet, lent;
	uint8_t say, guest_shut, host_shut;
	uint16_t next, before, after;
	uint32_t generation;
	uint32_t guest_port, host_port;
	int in, out;
	struct vsock_credit credit;
	struct vsock_buf buf;
};

/**
 * struct vsock_table - All of them
 * @nr:		Places in use by this device, up to VSOCK_CONNS_MAX
 * @next_port:	The host's port that is tried next
 */
struct vsock_table {
	unsigned int nr;
	uint32_t next_port;
	uint16_t bucket[VSOCK_BUCKETS];
	uint16_t first[VSOCK_LISTS], last[VSOCK_LISTS];
	struct vsock_conn conn[VSOCK_CONNS_MAX];
	uint8_t ends[VSOCK_POOL_BYTES / 8];
	uint8_t pool[VSOCK_POOL_BYTES];
};

/** vsock_table_init() - An empty table of @nr places; @t is zeroed */
void vsock_table_init(struct vsock_table *t, unsigned int nr);

/** vsock_table_find() - The connection of two ports, or NULL */
struct vsock_conn *vsock_table_find(struct vsock_table *t, uint32_t guest_port, uint32_t host_port);

/**
 * vsock_table_take() - A connection without fds, in no list, its credit and buffer empty
 *
 * Return: the caller sets its state; NULL when all places are taken
 */
struct vsock_conn *vsock_table_take(struct vsock_table *t, uint32_t guest_port, uint32_t host_port,
				    bool seqpacket);

/** vsock_table_unname() - Its ports do not find it any more */
void vsock_table_unname(struct vsock_table *t, struct vsock_conn *c);

/** vsock_table_free() - The place is free; its fds have been closed, its name may be gone already */
void vsock_table_free(struct vsock_table *t, struct vsock_conn *c);

/** vsock_table_port() - A port of the host's that has no connection with @guest_port */
uint32_t vsock_table_port(struct vsock_table *t, uint32_t guest_port);

/** vsock_table_move() - Out of the list it stands in, to the end of @list */
void vsock_table_move(struct vsock_table *t, struct vsock_conn *c, enum vsock_list list);

/** vsock_table_first() - The first one in @list, or NULL */
struct vsock_conn *vsock_table_first(struct vsock_table *t, enum vsock_list list);

/** vsock_table_ticket() - A number for this connection that no other will have; bit 31 is zero */
uint64_t vsock_table_ticket(const struct vsock_table *t, const struct vsock_conn *c);

/** vsock_table_of() - The connection of a ticket, or NULL for one that is stale or never was */
struct vsock_conn *vsock_table_of(struct vsock_table *t, uint64_t ticket);

#endif

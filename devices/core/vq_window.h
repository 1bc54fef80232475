/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Chains popped ahead, to receive into one buffer or many
 *
 * A packet whose length is known only once it has been read, and which may fill several chains, is
 * read into a window of chains. What it fills is given to the driver; the rest stays in the window
 * for the next packet, and is put back when the ring stops.
 *
 * Of a chain the window keeps what it needs, close together: a packet of 64 KiB may take 43 chains,
 * and a struct vq_chain has room for the longest possible one.
 */
#ifndef VMRUN_DEVICES_CORE_VQ_WINDOW_H
#define VMRUN_DEVICES_CORE_VQ_WINDOW_H

#include "devices/core/virtqueue.h"

#define VQ_WINDOW_SEGS (2 * VQ_SEGS_MAX) /* pieces of all chains in it */
#define VQ_WINDOW_RUN  256 /* chains used before the rest moves up: close together they stay in the cache */

/**
 * struct vq_window - Chains of one ring; empty when zeroed
 * @first:	The oldest chain in it
 * @nr:		How many there are, one behind the other
 * @first_seg:	The first piece of the oldest chain
 * @nr_segs:	Pieces of all, likewise
 * @room:	What they have room for
 * @chain:	Head, pieces and room of each
 * @seg:	Their writable pieces
 * @popped:	The last one, as vq_pop() left it
 */
struct vq_window {
	unsigned int first, nr;
	unsigned int first_seg, nr_segs;
	uint64_t room;
	struct vq_held {
		uint16_t head;
		uint16_t nr_segs;
		uint64_t room;
	} chain[VQ_SIZE_MAX];
	struct iovec seg[VQ_WINDOW_SEGS];
	struct vq_chain popped;
};

/**
 * vq_window_collect() - Pop until there is room for @bytes
 * @q:		The ring its chains are of
 * @bytes:	How much room is wanted
 * @least:	Every chain has to have room for so many, or the driver broke the queue
 *
 * Context: locked
 * Syscalls: none
 * Return: VQ_CHAIN when there is enough, or as many pieces as a window has room for; VQ_EMPTY when
 * there is no more, which is what vq_pop() said and means; VQ_BROKEN, q->broken telling whether
 * vq_pop() said that
 */
MUST_CHECK enum vq_result vq_window_collect(struct vq_window *w, struct vq *q, uint64_t bytes,
					    uint64_t least);

/** vq_window_first() - What the chain has room for that is filled first; not of an empty window */
static inline uint64_t vq_window_first(const struct vq_window *w)
{
	return w->chain[w->first].room;
}

/**
 * vq_window_iov() - The first chains' room, as many chains as @bytes take
 * @bytes:	How much room is wanted
 * @iov:	Filled
 * @nr_iov:	Room in it
 * @ret_bytes:	What the entries filled have room for: may be less than @bytes, or more
 *
 * Context: locked
 * Syscalls: none
 * Return: number of entries filled
 */
unsigned int vq_window_iov(const struct vq_window *w, uint64_t bytes, struct iovec *iov,
			   unsigned int nr_iov, uint64_t *ret_bytes);

/**
 * vq_window_write() - Copy to where the byte @off of the next packet lies; within the room
 * @off:	From the start of the packet
 * @len:	@off + @len bytes are within the room (vr_assert)
 *
 * Context: locked
 * Syscalls: none
 */
void vq_window_write(const struct vq_window *w, uint64_t off, const void *src, size_t len);

/**
 * vq_window_chains() - How many chains a packet of @bytes takes; 1 to the window's room
 * @bytes:	1 to the window's room (vr_assert)
 *
 * Context: locked
 * Syscalls: none
 */
unsigned int vq_window_chains(const struct vq_window *w, uint64_t bytes);

/**
 * vq_window_use() - Give the driver the chains of a packet that is in them (vq_fill_head)
 * @q:		The ring its chains are of
 * @bytes:	1 to the window's room, and what used.len can say (vr_assert)
 *
 * The caller publishes it.
 * Context: locked
 * Syscalls: none
 */
void vq_window_use(struct vq_window *w, struct vq *q, uint64_t bytes);

/**
 * vq_window_put_back() - Empty the window; vq_unpop() for each chain
 * @q:		The ring its chains are of
 *
 * Context: locked
 * Syscalls: none
 */
void vq_window_put_back(struct vq_window *w, struct vq *q);

#endif

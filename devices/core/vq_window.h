/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Chains popped ahead, to receive into what may be one buffer or many
 *
 * A packet whose length is known only once it has been read, and which may fill several chains, is
 * read into a window of chains. What it fills is given to the driver, the rest stays in the window
 * for the next packet, and is put back before the device waits for anything.
 */
#ifndef VMRUN_DEVICES_CORE_VQ_WINDOW_H
#define VMRUN_DEVICES_CORE_VQ_WINDOW_H

#include "devices/core/virtqueue.h"

/**
 * struct vq_window - Chains of one ring at a time; empty when zeroed
 * @first:	The oldest chain in it
 * @nr:		How many there are; no ring has more than @chain
 * @room:	What they have room for
 */
struct vq_window {
	unsigned int first;
	unsigned int nr;
	uint64_t room;
	struct vq_chain chain[VQ_SIZE_MAX];
};

/** vq_window_head() - The chain that is filled first; not of an empty window */
static inline struct vq_chain *vq_window_head(struct vq_window *w)
{
	return &w->chain[w->first];
}

/**
 * vq_window_collect() - Pop until there is room for @bytes
 * @least:	Every chain has to have room for so many, or the driver broke the queue
 *
 * Return: VQ_CHAIN when there is enough; VQ_EMPTY when there is no more, which is what vq_pop() said
 * and means; VQ_BROKEN, q->broken telling whether vq_pop() said that
 */
MUST_CHECK enum vq_result vq_window_collect(struct vq_window *w, struct vq *q, uint64_t bytes,
					    uint64_t least);

/**
 * vq_window_iov() - The first chains' room, as many chains as @bytes take
 * @ret_bytes:	What the entries filled have room for: may be less than @bytes, or more
 *
 * Return: number of entries filled
 */
unsigned int vq_window_iov(struct vq_window *w, uint64_t bytes, struct iovec *iov,
			   unsigned int nr_iov, uint64_t *ret_bytes);

/**
 * vq_window_use() - Fill the first chains with a packet (vq_fill); publishing it is the caller's
 * @bytes:	1 to the window's room
 * @direct:	So many of them are where vq_window_iov() said
 * @rest:	The others
 *
 * The first chain may be vq_patch()ed until it is published.
 * Return: number of chains, which are not in the window any more
 */
unsigned int vq_window_use(struct vq_window *w, struct vq *q, uint64_t bytes, uint64_t direct,
			   const uint8_t *rest);

/** vq_window_put_back() - Empty the window; vq_unpop() for each chain */
void vq_window_put_back(struct vq_window *w, struct vq *q);

#endif

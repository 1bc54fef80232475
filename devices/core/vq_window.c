/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vq_window.h"

static struct vq_chain *window_at(struct vq_window *w, unsigned int i)
{
	return &w->chain[(w->first + i) % VQ_SIZE_MAX];
}

/**
 * vq_window_collect() - Pop until there is room for @bytes
 * @w:		The window
 * @q:		The ring its chains are of
 * @bytes:	How much room is wanted
 * @least:	Every chain has to have room for so many, or the driver broke the queue
 *
 * Context: locked.  Syscalls: none
 * Return: VQ_CHAIN when there is enough; VQ_EMPTY when there is no more, which is what vq_pop() said
 * and means; VQ_BROKEN, q->broken telling whether vq_pop() said that
 */
enum vq_result vq_window_collect(struct vq_window *w, struct vq *q, uint64_t bytes, uint64_t least)
{
	while (w->room < bytes) {
		struct vq_chain *c = window_at(w, w->nr);
		enum vq_result rc = w->nr < VQ_SIZE_MAX ? vq_pop(q, c) : VQ_EMPTY;

		if (rc != VQ_CHAIN)
			return rc;
		w->nr++;
		w->room += vq_left(c, VQ_WRITABLE);
		if (vq_left(c, VQ_WRITABLE) < least)
			return VQ_BROKEN;
	}
	return VQ_CHAIN;
}

/**
 * vq_window_iov() - The first chains' room, as many chains as @bytes take
 * @w:		The window
 * @bytes:	How much room is wanted
 * @iov:	Filled
 * @nr_iov:	Room in it
 * @ret_bytes:	What the entries filled have room for: may be less than @bytes, or more
 *
 * Context: locked.  Syscalls: none
 * Return: number of entries filled
 */
unsigned int vq_window_iov(struct vq_window *w, uint64_t bytes, struct iovec *iov,
			   unsigned int nr_iov, uint64_t *ret_bytes)
{
	uint64_t got = 0;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < w->nr && got < bytes && nr < nr_iov; i++) {
		unsigned int k = vq_iov(window_at(w, i), VQ_WRITABLE, UINT64_MAX, iov + nr,
					nr_iov - nr);

		for (; k > 0; k--)
			got += iov[nr++].iov_len;
	}
	*ret_bytes = got;
	return nr;
}

/**
 * vq_window_use() - Fill the first chains with a packet
 * @w:		The window
 * @q:		The ring its chains are of
 * @bytes:	1 to the window's room
 * @direct:	So many of them are where vq_window_iov() said
 * @rest:	The others
 *
 * The first chain may be vq_patch()ed until it is published, which is the caller's to do.
 * Context: locked.  Syscalls: none
 * Return: number of chains, which are not in the window any more
 */
unsigned int vq_window_use(struct vq_window *w, struct vq *q, uint64_t bytes, uint64_t direct,
			   const uint8_t *rest)
{
	unsigned int nr = 0;

	vr_assert(bytes > 0 && bytes <= w->room);
	for (; bytes > 0; nr++) {
		struct vq_chain *c = window_at(w, nr);
		uint64_t room = vq_left(c, VQ_WRITABLE);
		uint64_t take = bytes < room ? bytes : room;
		uint64_t part = take < direct ? take : direct;

		vq_skip(c, VQ_WRITABLE, part);
		if (take > part)
			rest += vq_write(c, rest, (size_t)(take - part));
		vq_fill(q, c);
		w->room -= room;
		bytes -= take;
		direct -= part;
	}
	w->first = (w->first + nr) % VQ_SIZE_MAX;
	w->nr -= nr;
	return nr;
}

/**
 * vq_window_put_back() - Empty the window
 * @w:		The window
 * @q:		The ring its chains are of
 *
 * Context: locked.  Syscalls: none
 */
void vq_window_put_back(struct vq_window *w, struct vq *q)
{
	while (w->nr > 0)
		vq_unpop(q, window_at(w, --w->nr));
	/* Always the same few chains for a few packets: the rest of the memory stays untouched. */
	w->first = 0;
	w->room = 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vq_window.h"

#include <string.h>

/* Whether there is space for one more chain, however long; moves the others up if that makes some */
static bool vq_window_has_space(struct vq_window *w)
{
	if (w->first >= VQ_WINDOW_RUN || w->first + w->nr == VQ_SIZE_MAX ||
	    w->first_seg + w->nr_segs > VQ_WINDOW_SEGS - VQ_SEGS_MAX) {
		memmove(w->chain, w->chain + w->first, w->nr * sizeof(w->chain[0]));
		memmove(w->seg, w->seg + w->first_seg, w->nr_segs * sizeof(w->seg[0]));
		w->first = 0;
		w->first_seg = 0;
	}
	return w->nr < VQ_SIZE_MAX && w->nr_segs <= VQ_WINDOW_SEGS - VQ_SEGS_MAX;
}

/* Takes over the chain that was just popped */
static void vq_window_add(struct vq_window *w)
{
	const struct vq_chain *c = &w->popped;
	struct vq_held *h = &w->chain[w->first + w->nr++];

	h->head = c->head;
	h->room = vq_left(c, VQ_WRITABLE);
	h->nr_segs = (uint16_t)vq_iov(c, VQ_WRITABLE, UINT64_MAX,
				      w->seg + w->first_seg + w->nr_segs, VQ_SEGS_MAX);
	w->nr_segs += h->nr_segs;
	w->room += h->room;
}

enum vq_result vq_window_collect(struct vq_window *w, struct vq *q, uint64_t bytes, uint64_t least)
{
	while (w->room < bytes && vq_window_has_space(w)) {
		enum vq_result rc = vq_pop(q, &w->popped);

		if (rc != VQ_CHAIN)
			return rc;
		vq_window_add(w);
		if (vq_left(&w->popped, VQ_WRITABLE) < least)
			return VQ_BROKEN;
	}
	return VQ_CHAIN;
}

unsigned int vq_window_iov(const struct vq_window *w, uint64_t bytes, struct iovec *iov,
			   unsigned int nr_iov, uint64_t *ret_bytes)
{
	const struct iovec *seg = w->seg + w->first_seg;
	uint64_t got = 0;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < w->nr && got < bytes; i++) {
		for (unsigned int k = w->chain[w->first + i].nr_segs; k > 0 && nr < nr_iov; k--) {
			iov[nr] = seg[nr];
			got += iov[nr++].iov_len;
		}
	}
	*ret_bytes = got;
	return nr;
}

void vq_window_write(const struct vq_window *w, uint64_t off, const void *src, size_t len)
{
	const struct iovec *seg = w->seg + w->first_seg;
	const uint8_t *from = src;

	vr_assert(len <= w->room && off <= w->room - len);
	for (; len > 0; seg++) {
		size_t part = seg->iov_len;

		if (off >= part) {
			off -= part;
			continue;
		}
		part = part - off < len ? part - (size_t)off : len;
		memcpy((uint8_t *)seg->iov_base + off, from, part);
		off = 0;
		from += part;
		len -= part;
	}
}

unsigned int vq_window_chains(const struct vq_window *w, uint64_t bytes)
{
	unsigned int nr = 0;

	vr_assert(bytes > 0 && bytes <= w->room);
	for (uint64_t room = 0; room < bytes; nr++)
		room += w->chain[w->first + nr].room;
	return nr;
}

void vq_window_use(struct vq_window *w, struct vq *q, uint64_t bytes)
{
	vr_assert(bytes > 0 && bytes <= w->room && bytes <= UINT32_MAX);
	while (bytes > 0) {
		const struct vq_held *h = &w->chain[w->first++];
		uint64_t take = bytes < h->room ? bytes : h->room;

		vq_fill_head(q, h->head, (uint32_t)take);
		w->nr--;
		w->first_seg += h->nr_segs;
		w->nr_segs -= h->nr_segs;
		w->room -= h->room;
		bytes -= take;
	}
}

void vq_window_put_back(struct vq_window *w, struct vq *q)
{
	while (w->nr > 0)
		vq_unpop(q, w->chain[w->first + --w->nr].head);
	w->first = 0;
	w->first_seg = 0;
	w->nr_segs = 0;
	w->room = 0;
}

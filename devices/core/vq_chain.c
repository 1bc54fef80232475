/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Moving bytes through a chain
 *
 * A chain is private and validated when vq_pop() hands it out: what follows trusts its segments and
 * counts, and only what lies in the segments still belongs to the guest.
 */
#include <string.h>

#include "devices/core/virtqueue.h"

unsigned int vq_iov(const struct vq_chain *c, enum vq_dir dir, uint64_t max, struct iovec *iov,
		    unsigned int nr_iov)
{
	unsigned int seg = dir == VQ_READABLE ? c->read_seg : c->write_seg;
	unsigned int end = dir == VQ_READABLE ? c->nr_readable : c->nr_segs;
	size_t off = dir == VQ_READABLE ? c->read_off : c->write_off;
	unsigned int n = 0;

	for (; seg < end && n < nr_iov && max > 0; seg++, n++) {
		size_t len = c->seg[seg].iov_len - off;

		iov[n].iov_base = (uint8_t *)c->seg[seg].iov_base + off;
		iov[n].iov_len = len < max ? len : (size_t)max;
		max -= iov[n].iov_len;
		off = 0;
	}
	return n;
}

void vq_skip(struct vq_chain *c, enum vq_dir dir, uint64_t bytes)
{
	uint16_t *seg = dir == VQ_READABLE ? &c->read_seg : &c->write_seg;
	size_t *off = dir == VQ_READABLE ? &c->read_off : &c->write_off;
	uint64_t *left = dir == VQ_READABLE ? &c->readable_bytes : &c->writable_bytes;

	if (bytes > *left)
		bytes = *left;
	*left -= bytes;
	if (dir == VQ_WRITABLE) {
		/* 2^32 bytes is a legal chain and one more than used.len can say. */
		if (bytes > UINT32_MAX - c->written_bytes)
			c->written_bytes = UINT32_MAX;
		else
			c->written_bytes += (uint32_t)bytes;
	}
	while (bytes > 0) {
		size_t len = c->seg[*seg].iov_len - *off;

		if (bytes < len) {
			*off += (size_t)bytes;
			return;
		}
		bytes -= len;
		*off = 0;
		++*seg;
	}
}

size_t vq_read(struct vq_chain *c, void *dst, size_t len)
{
	struct iovec iov;
	size_t done = 0;

	while (vq_iov(c, VQ_READABLE, len - done, &iov, 1) == 1) {
		memcpy((uint8_t *)dst + done, iov.iov_base, iov.iov_len);
		vq_skip(c, VQ_READABLE, iov.iov_len);
		done += iov.iov_len;
	}
	return done;
}

size_t vq_write(struct vq_chain *c, const void *src, size_t len)
{
	struct iovec iov;
	size_t done = 0;

	while (vq_iov(c, VQ_WRITABLE, len - done, &iov, 1) == 1) {
		memcpy(iov.iov_base, (const uint8_t *)src + done, iov.iov_len);
		vq_skip(c, VQ_WRITABLE, iov.iov_len);
		done += iov.iov_len;
	}
	return done;
}

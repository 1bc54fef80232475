/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/vsock/vsock_buf.h"

/* The place of the byte @off behind the first */
static uint32_t vsock_buf_place(const struct vsock_buf *b, uint32_t off)
{
	const uint32_t to_wrap = b->cap - b->at;

	return off < to_wrap ? b->at + off : off - to_wrap;
}

/* Whether a message ends behind the byte @off */
static void vsock_buf_mark(struct vsock_buf *b, uint32_t off, bool end)
{
	const uint32_t place = vsock_buf_place(b, off), bit = 1U << place % 8;

	b->ends[place / 8] = (uint8_t)(end ? b->ends[place / 8] | bit : b->ends[place / 8] & ~bit);
}

void vsock_buf_add(struct vsock_buf *b, struct vq_chain *c, uint32_t len)
{
	vr_assert(len <= b->cap - b->nr);
	while (len > 0) {
		const uint32_t place = vsock_buf_place(b, b->nr);
		const uint32_t whole = b->cap - place, part = len < whole ? len : whole;
		const size_t n = vq_read(c, b->data + place, part);

		b->nr += (uint32_t)n;
		len -= (uint32_t)n;
		if (n < part)
			return;
	}
}

void vsock_buf_end(struct vsock_buf *b)
{
	if (b->nr > 0)
		vsock_buf_mark(b, b->nr - 1, true);
}

uint32_t vsock_buf_message(const struct vsock_buf *b)
{
	for (uint32_t off = 0; off < b->nr; off++) {
		const uint32_t place = vsock_buf_place(b, off);

		if (b->ends[place / 8] == 0)
			off += 7 - place % 8; /* to the end of this byte of bits */
		else if (b->ends[place / 8] >> place % 8 & 1)
			return off + 1;
	}
	return 0;
}

unsigned int vsock_buf_iov(const struct vsock_buf *b, uint32_t len, struct iovec iov[2])
{
	const uint32_t whole = b->cap - b->at, first = len < whole ? len : whole;

	iov[0] = (struct iovec){b->data + b->at, first};
	iov[1] = (struct iovec){b->data, len - first};
	return len > first ? 2 : 1;
}

void vsock_buf_drop(struct vsock_buf *b, uint32_t len)
{
	while (len > 0) {
		const uint32_t message = b->ends ? vsock_buf_message(b) : 0;
		const uint32_t part = message > 0 && message <= len ? message : len;

		if (part == message)
			vsock_buf_mark(b, part - 1, false);
		b->at = vsock_buf_place(b, part);
		b->nr -= part;
		len -= part;
	}
	if (b->nr == 0)
		b->at = 0;
}

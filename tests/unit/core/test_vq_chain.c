/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Moving bytes through a chain: copies, pieces, arithmetic at every border
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "tests/support/vq_driver.h"

#define RING 0x10000ULL
#define DATA 0x14000ULL
#define MID  0x20000ULL /* where the first two regions touch */
#define LAST 0x30000ULL /* where the second and the third do */

static const struct vqd_piece pieces[] = {
	{RING, MID - RING},
	{MID, LAST - MID},
	{LAST, 0x10000},
};

static struct vqd_mem ram;
static struct gmem mem;
static struct vqd drv;
static struct vq q;
static struct vq_chain c;

static void start(void)
{
	struct vq_layout layout;

	mem = (struct gmem){0};
	vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
	vqd_mem_map(&ram, &mem);
	vqd_init(&drv, &ram, 16, RING, 0);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
}

static void stop(void)
{
	gmem_done(&mem);
	vqd_mem_done(&ram);
}

TestSuite(vq_chain, .init = start, .fini = stop);

static void pop(const struct vqd_buf *buf, unsigned int nr)
{
	vqd_add(&drv, buf, nr);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
}

/* Readable "0123456789abcdef" in pieces of 5, 1 and 10; writable pieces of 3, 4 and 9 bytes */
static void pop_usual(void)
{
	static const struct vqd_buf buf[] = {
		{DATA, 5, false},	  {DATA + 100, 1, false},   {DATA + 200, 10, false},
		{DATA + 0x1000, 3, true}, {DATA + 0x1100, 4, true}, {DATA + 0x1200, 9, true},
	};

	memcpy(vqd_at(&ram, DATA, 5), "01234", 5);
	memcpy(vqd_at(&ram, DATA + 100, 1), "5", 1);
	memcpy(vqd_at(&ram, DATA + 200, 10), "6789abcdef", 10);
	pop(buf, ARRAY_SIZE(buf));
}

/* The sixteen writable bytes of pop_usual() as one string */
static const char *written(void)
{
	static char text[17];

	memcpy(text, vqd_at(&ram, DATA + 0x1000, 3), 3);
	memcpy(text + 3, vqd_at(&ram, DATA + 0x1100, 4), 4);
	memcpy(text + 7, vqd_at(&ram, DATA + 0x1200, 9), 9);
	return text;
}

Test(vq_chain, reads_of_every_size_give_the_same_bytes)
{
	for (size_t step = 1; step <= 17; step++) {
		char in[32] = {0};
		size_t done = 0, n;

		pop_usual();
		while ((n = vq_read(&c, in + done, step)) > 0) {
			done += n;
			cr_assert_eq(c.readable_bytes, 16 - done);
		}
		cr_assert_eq(done, 16, "step %zu", step);
		cr_assert_str_eq(in, "0123456789abcdef", "step %zu", step);
		cr_assert_eq(c.writable_bytes, 16, "reading leaves the other direction alone");
		cr_assert_eq(c.written_bytes, 0);
		vq_push(&q, &c);
		vqd_take(&drv, &(uint32_t){0}, &(uint32_t){0});
	}
}

Test(vq_chain, writes_of_every_size_give_the_same_bytes)
{
	for (size_t step = 1; step <= 17; step++) {
		const char *out = "ABCDEFGHIJKLMNOPQ"; /* one more than fits */
		uint32_t id, len;
		size_t done = 0, n;

		pop_usual();
		while ((n = vq_write(&c, out + done, step < 17 - done ? step : 17 - done)) > 0) {
			done += n;
			cr_assert_eq(c.written_bytes, done);
			cr_assert_eq(c.writable_bytes, 16 - done);
		}
		cr_assert_eq(done, 16, "step %zu", step);
		cr_assert_str_eq(written(), "ABCDEFGHIJKLMNOP", "step %zu", step);
		cr_assert_eq(c.readable_bytes, 16);
		vq_push(&q, &c);
		cr_assert(vqd_take(&drv, &id, &len));
		cr_assert_eq(len, 16);
		memset(vqd_at(&ram, DATA + 0x1000, 0x300), 0, 0x300);
	}
}

Test(vq_chain, nothing_to_read_or_write)
{
	struct vqd_buf only_in = {DATA, 4, true}, only_out = {DATA, 4, false};
	struct iovec iov[2];
	char byte = 0;

	pop(&only_in, 1);
	cr_assert_eq(vq_read(&c, &byte, 1), 0);
	cr_assert_eq(vq_iov(&c, VQ_READABLE, 10, iov, 2), 0);
	vq_skip(&c, VQ_READABLE, 10);
	cr_assert_eq(vq_write(&c, &byte, 1), 1, "the writable side is untouched by that");
	cr_assert_eq(vq_write(&c, &byte, 0), 0);
	pop(&only_out, 1);
	cr_assert_eq(vq_write(&c, &byte, 1), 0);
	cr_assert_eq(vq_iov(&c, VQ_WRITABLE, 10, iov, 2), 0);
	vq_skip(&c, VQ_WRITABLE, 10);
	cr_assert_eq(c.written_bytes, 0);
	cr_assert_eq(vq_read(&c, &byte, 1), 1);
}

Test(vq_chain, iov_and_skip_at_every_border)
{
	static const size_t part[] = {5, 1, 10};

	for (uint64_t at = 0; at <= 16; at++) {
		for (uint64_t max = 0; max <= 18; max++) {
			struct iovec iov[4];
			unsigned int n;
			uint64_t sum = 0, want = 16 - at < max ? 16 - at : max;
			size_t pos = at, i = 0;

			pop_usual();
			vq_skip(&c, VQ_READABLE, at);
			n = vq_iov(&c, VQ_READABLE, max, iov, 4);
			for (unsigned int k = 0; k < n; k++) {
				/* The bytes name their own position. */
				while (i < 3 && pos >= part[i])
					pos -= part[i++];
				cr_assert_gt(iov[k].iov_len, 0);
				cr_assert_leq(iov[k].iov_len, part[i] - pos);
				cr_assert_eq(*(char *)iov[k].iov_base,
					     "0123456789abcdef"[at + sum]);
				pos += iov[k].iov_len;
				sum += iov[k].iov_len;
			}
			cr_assert_eq(sum, want, "%zu bytes from %zu", (size_t)max, (size_t)at);
			cr_assert_eq(c.readable_bytes, 16 - at, "vq_iov() does not advance");
			vq_push(&q, &c);
			vqd_take(&drv, &(uint32_t){0}, &(uint32_t){0});
		}
	}
}

Test(vq_chain, iov_with_little_room)
{
	struct iovec iov[3];

	pop_usual();
	cr_assert_eq(vq_iov(&c, VQ_WRITABLE, 16, iov, 0), 0);
	cr_assert_eq(vq_iov(&c, VQ_WRITABLE, 16, iov, 2), 2);
	cr_assert_eq(iov[0].iov_base, gmem_ptr(&mem, DATA + 0x1000, 1));
	cr_assert_eq(iov[0].iov_len, 3);
	cr_assert_eq(iov[1].iov_base, gmem_ptr(&mem, DATA + 0x1100, 1));
	cr_assert_eq(iov[1].iov_len, 4);
	cr_assert_eq(vq_iov(&c, VQ_WRITABLE, 4, iov, 3), 2);
	cr_assert_eq(iov[1].iov_len, 1);
}

Test(vq_chain, skip_counts_what_is_there)
{
	uint32_t id, len;

	pop_usual();
	vq_skip(&c, VQ_WRITABLE, 0);
	cr_assert_eq(c.written_bytes, 0);
	vq_skip(&c, VQ_WRITABLE, 7);
	cr_assert_eq(c.written_bytes, 7);
	cr_assert_eq(vq_write(&c, "!", 1), 1);
	cr_assert_eq(*(char *)vqd_at(&ram, DATA + 0x1200, 1), '!', "skipped to a border");
	vq_skip(&c, VQ_WRITABLE, UINT64_MAX);
	cr_assert_eq(c.written_bytes, 16);
	cr_assert_eq(c.writable_bytes, 0);
	vq_skip(&c, VQ_READABLE, UINT64_MAX);
	cr_assert_eq(c.readable_bytes, 0);
	cr_assert_eq(vq_read(&c, &(char){0}, 1), 0);
	vq_push(&q, &c);
	cr_assert(vqd_take(&drv, &id, &len));
	cr_assert_eq(len, 16);
}

Test(vq_chain, buffers_straddle_regions)
{
	struct vqd_buf buf[] = {
		{MID - 4, 8, false},		 /* over one border */
		{MID - 1, LAST - MID + 2, true}, /* over two, a whole region between */
		{LAST, 4, true},		 /* over none */
	};
	struct iovec iov[8];
	char in[9] = {0};

	memcpy(vqd_at(&ram, MID - 4, 4), "over", 4);
	memcpy(vqd_at(&ram, MID, 4), "bord", 4);
	pop(buf, ARRAY_SIZE(buf));
	cr_assert_eq(c.nr_readable, 2);
	cr_assert_eq(c.nr_segs, 6);
	cr_assert_eq(c.readable_bytes, 8);
	cr_assert_eq(c.writable_bytes, LAST - MID + 6);
	cr_assert_eq(vq_read(&c, in, 8), 8);
	cr_assert_str_eq(in, "overbord");
	cr_assert_eq(vq_iov(&c, VQ_WRITABLE, UINT64_MAX, iov, 8), 4);
	cr_assert_eq(iov[0].iov_len, 1);
	cr_assert_eq(iov[1].iov_len, LAST - MID);
	cr_assert_eq(iov[2].iov_len, 1);
	cr_assert_eq(iov[3].iov_len, 4);
	vq_skip(&c, VQ_WRITABLE, LAST - MID);
	cr_assert_eq(vq_write(&c, "ABCDEF", 6), 6);
	cr_assert_eq(*(char *)vqd_at(&ram, LAST - 1, 1), 'A');
	/* The second buffer's last byte, then the third's, which is the same byte of RAM. */
	cr_assert_arr_eq(vqd_at(&ram, LAST, 4), "CDEF", 4);
}

Test(vq_chain, every_border_crossed_by_a_full_ring)
{
	struct vqd_buf buf[16];

	/* 16 buffers side by side over both borders: 16 + 2 pieces. */
	for (unsigned int i = 0; i < 16; i++)
		buf[i] = (struct vqd_buf){MID - 0x800 + i * 0x1100ULL, 0x1100, true};
	pop(buf, 16);
	cr_assert_eq(c.nr_segs, 18);
	cr_assert_eq(c.writable_bytes, 16 * 0x1100);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Set-up, requests there and back, and what an honest driver may do
 */
#include "devices/core/virtqueue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/support/vq_rig.h"

TestSuite(virtqueue, .init = start, .fini = stop);

Test(virtqueue, setup_refuses_bad_layouts)
{
	static const struct {
		const char *what;
		struct vq_layout l;
	} bad[] = {
		{"no entries", {0, 0, RING, RING + 0x1000, RING + 0x2000, 0}},
		{"no power of two", {6, 0, RING, RING + 0x1000, RING + 0x2000, 0}},
		{"too large", {2048, 0, RING, RING + 0x8000, RING + 0xa000, 0}},
		{"largest 16-bit size", {0x8000, 0, HIGH, HIGH + 0x100000, HIGH + 0x200000, 0}},
		{"descriptors misaligned", {8, 0, RING + 8, RING + 0x1000, RING + 0x2000, 0}},
		{"available misaligned", {8, 0, RING, RING + 0x1001, RING + 0x2000, 0}},
		{"used misaligned", {8, 0, RING, RING + 0x1000, RING + 0x2002, 0}},
		{"descriptors in no RAM", {8, 0, END, RING + 0x1000, RING + 0x2000, 0}},
		{"available in no RAM", {8, 0, RING, END, RING + 0x2000, 0}},
		{"used in no RAM", {8, 0, RING, RING + 0x1000, END, 0}},
		{"descriptors end too late", {8, 0, END - 112, RING, RING + 0x2000, 0}},
		{"available ends too late", {8, 0, RING, END - 20, RING + 0x2000, 0}},
		{"used ends too late", {8, 0, RING, RING + 0x1000, END - 68, 0}},
		{"descriptors in two regions", {8, 0, MID - 64, RING, RING + 0x2000, 0}},
		{"address that wraps", {8, 0, -16ULL, RING, RING + 0x2000, 0}},
	};
	struct vq before = q;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};

		cr_assert_eq(vq_setup(&q, &mem, &bad[i].l, &err), -EINVAL, "%s", bad[i].what);
		cr_assert_eq(err.code, EINVAL, "%s", bad[i].what);
		cr_assert_arr_eq(&q, &before, sizeof(q), "%s", bad[i].what);
	}
}

Test(virtqueue, setup_takes_the_edges_of_memory)
{
	struct vq_layout l = {8, 0, END - 128, RING, RING + 0x100, 0};
	struct vq_layout one = {1, 0, RING, END - 8, END - 24, 0};

	cr_assert_eq(vq_setup(&q, &mem, &l, &(struct err){0}), 0);
	cr_assert_eq(vq_setup(&q, &mem, &one, &(struct err){0}), 0);
	l = (struct vq_layout){8, 0, RING, END - 22, RING + 0x100, 0};
	cr_assert_eq(vq_setup(&q, &mem, &l, &(struct err){0}), 0);
	l = (struct vq_layout){8, 0, RING, RING + 0x100, END - 72, 0};
	cr_assert_eq(vq_setup(&q, &mem, &l, &(struct err){0}), 0);
}

Test(virtqueue, every_size_works)
{
	for (uint16_t size = 1; size <= VQ_SIZE_MAX; size = (uint16_t)(size * 2)) {
		setup(size, 0);
		for (int i = 0; i < 3 * size; i++)
			round_trip();
		cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	}
}

Test(virtqueue, a_ring_that_is_not_set_up_is_empty)
{
	struct vq none = {0};

	cr_assert_eq(vq_pop(&none, &c), VQ_EMPTY);
	cr_assert_not(vq_should_signal(&none));
	vq_reset(&none);
	round_trip();
	vq_reset(&q);
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
}

Test(virtqueue, a_request_goes_there_and_back)
{
	struct vqd_buf buf[] = {{DATA, 3, false}, {DATA + 16, 4, false}, {DATA + 64, 8, true}};
	uint16_t head = vqd_add(&drv, buf, ARRAY_SIZE(buf));
	char in[16] = {0};
	uint32_t id, len;

	memcpy(vqd_at(&ram, DATA, 3), "abc", 3);
	memcpy(vqd_at(&ram, DATA + 16, 4), "defg", 4);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	cr_assert_eq(c.readable_bytes, 7);
	cr_assert_eq(c.writable_bytes, 8);
	cr_assert_eq(vq_read(&c, in, sizeof(in)), 7);
	cr_assert_str_eq(in, "abcdefg");
	cr_assert_eq(vq_write(&c, "12345", 5), 5);
	cr_assert_not(vqd_take(&drv, &id, &len), "nothing is used before vq_push()");
	vq_push(&q, &c);
	cr_assert(vqd_take(&drv, &id, &len));
	cr_assert_eq(id, head);
	cr_assert_eq(len, 5, "what was written, not what could have been");
	cr_assert_arr_eq(vqd_at(&ram, DATA + 64, 8), "12345\0\0\0", 8);
	cr_assert_not(vqd_take(&drv, &id, &len));
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
}

Test(virtqueue, chains_are_pushed_in_any_order)
{
	static const int order[] = {2, 0, 3, 1};
	struct vqd_buf buf = {DATA, 64, true};
	static struct vq_chain chain[4];
	uint16_t head[4];
	uint32_t id, len;

	for (int i = 0; i < 4; i++)
		head[i] = vqd_add(&drv, &buf, 1);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(vq_pop(&q, &chain[i]), VQ_CHAIN);
		cr_assert_eq(chain[i].head, head[i]);
		vq_skip(&chain[i], VQ_WRITABLE, (uint64_t)i + 1);
	}
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	for (int i = 0; i < 4; i++)
		vq_push(&q, &chain[order[i]]);
	for (int i = 0; i < 4; i++) {
		cr_assert(vqd_take(&drv, &id, &len));
		cr_assert_eq(id, head[order[i]]);
		cr_assert_eq(len, (uint32_t)order[i] + 1);
	}
}

Test(virtqueue, indices_wrap_around)
{
	struct vq_layout layout;

	vqd_start_at(&drv, 65534);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	for (int i = 0; i < 5; i++)
		round_trip();
	cr_assert_eq(q.next_avail, 3);
	cr_assert_eq(q.next_used, 3);
	for (int i = 0; i < 70000; i++)
		round_trip();
}

Test(virtqueue, a_full_ring_across_the_wrap)
{
	struct vqd_buf buf = {DATA, 64, true};
	static struct vq_chain chain[SIZE];
	struct vq_layout layout;
	uint32_t id, len;

	vqd_start_at(&drv, 65533);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	for (int i = 0; i < SIZE; i++)
		vqd_add(&drv, &buf, 1);
	for (int i = 0; i < SIZE; i++)
		cr_assert_eq(vq_pop(&q, &chain[i]), VQ_CHAIN);
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	for (int i = 0; i < SIZE; i++)
		vq_push(&q, &chain[i]);
	for (int i = 0; i < SIZE; i++)
		cr_assert(vqd_take(&drv, &id, &len));
	cr_assert_not(vqd_take(&drv, &id, &len));
}

Test(virtqueue, the_used_index_goes_on_and_is_never_read_again)
{
	struct vqd_buf buf = {DATA, 4, true};
	struct vq_layout layout;
	uint32_t id, len;

	vqd_start_at(&drv, 1000);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	round_trip();
	vqd_add(&drv, &buf, 1);
	/* The driver must not write used.idx. One that does confuses itself only. */
	*(uint16_t *)vqd_at(&ram, drv.used_gpa + 2, 2) = 7;
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	vq_push(&q, &c);
	cr_assert_eq(*(uint16_t *)vqd_at(&ram, drv.used_gpa + 2, 2), 1002);
	cr_assert(vqd_take(&drv, &id, &len));
}

Test(virtqueue, a_chain_is_a_private_copy)
{
	struct vqd_buf buf = {DATA, 4, true};
	uint16_t head = vqd_add(&drv, &buf, 1);
	uint32_t id, len;

	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	/* The driver changes its mind while the device works. */
	vqd_put_desc(&drv, head, END, 0xffffffff, VQD_NEXT, 99);
	cr_assert_eq(vq_write(&c, "pong", 4), 4);
	cr_assert_arr_eq(vqd_at(&ram, DATA, 4), "pong", 4);
	vq_push(&q, &c);
	vqd_put_desc(&drv, head, DATA, 4, VQD_WRITE, 0);
	cr_assert(vqd_take(&drv, &id, &len));
	cr_assert_eq(len, 4);
}

/* What an honest driver may do, though few do */

Test(virtqueue, a_chain_as_long_as_the_queue)
{
	struct vqd_buf buf[SIZE];

	for (unsigned int i = 0; i < SIZE; i++)
		buf[i] = (struct vqd_buf){DATA + 16 * i, 16, i >= 3};
	vqd_add(&drv, buf, SIZE);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(c.readable_bytes, 3 * 16);
	cr_assert_eq(c.writable_bytes, 5 * 16);
	vq_push(&q, &c);
	setup(SIZE, VQD_F_INDIRECT);
	vqd_add_indirect(&drv, buf, SIZE, TABLE);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(c.nr_segs, SIZE);
}

Test(virtqueue, an_indirect_table_behind_buffers_at_an_odd_address)
{
	struct vqd_buf in_table = {DATA + 8, 8, true};

	vqd_put_desc_at(&ram, TABLE + 3, 0, &in_table, 0, 0);
	vqd_put_desc(&drv, 2, DATA, 8, VQD_NEXT, 5);
	/* WRITE means nothing beside INDIRECT. */
	vqd_put_desc(&drv, 5, TABLE + 3, 16, VQD_INDIRECT | VQD_WRITE, 0);
	vqd_offer(&drv, 2);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(c.head, 2);
	cr_assert_eq(c.readable_bytes, 8);
	cr_assert_eq(c.writable_bytes, 8);
}

Test(virtqueue, undefined_flags_are_ignored)
{
	vqd_put_desc(&drv, 1, DATA, 8, 0xfff8 | VQD_WRITE, 77);
	vqd_offer(&drv, 1);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(c.writable_bytes, 8);
	cr_assert_eq(c.nr_segs, 1);
}

Test(virtqueue, a_chain_of_4_gib)
{
	setup(256, 0);
	for (uint16_t i = 0; i < 256; i++)
		vqd_put_desc(&drv, i, HIGH, 16 << 20, VQD_WRITE | (i + 1 < 256 ? VQD_NEXT : 0),
			     (uint16_t)(i + 1));
	vqd_offer(&drv, 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(c.writable_bytes, 1ULL << 32);
	vq_skip(&c, VQ_WRITABLE, UINT64_MAX);
	cr_assert_eq(c.writable_bytes, 0);
	cr_assert_eq(c.written_bytes, UINT32_MAX, "one more than used.len can say");
}

/* A table may be longer than the ring, behind a descriptor of the ring or not. */
Test(virtqueue, a_chain_as_long_as_a_table_may_be)
{
	static struct vqd_buf buf[VQ_SIZE_MAX];
	uint16_t head;

	for (unsigned int i = 0; i < VQ_SIZE_MAX; i++)
		buf[i] = (struct vqd_buf){DATA + i, 1, i > 0};
	setup(2, VQD_F_INDIRECT);
	vqd_add_indirect(&drv, buf, VQ_SIZE_MAX, TABLE);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert(vq_left(&c, VQ_READABLE) == 1 && vq_left(&c, VQ_WRITABLE) == VQ_SIZE_MAX - 1);
	setup(2, VQD_F_INDIRECT);
	head = vqd_add_indirect(&drv, buf + 1, VQ_SIZE_MAX - 1, TABLE);
	vqd_put_desc(&drv, head, DATA, 8, VQD_NEXT, !head);
	vqd_put_desc(&drv, !head, TABLE, (VQ_SIZE_MAX - 1) * 16, VQD_INDIRECT, 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert(vq_left(&c, VQ_READABLE) == 8 && vq_left(&c, VQ_WRITABLE) == VQ_SIZE_MAX - 1);
}

Test(virtqueue, a_chain_as_long_as_the_ring)
{
	setup(VQ_SIZE_MAX, 0);
	for (uint16_t i = 0; i < VQ_SIZE_MAX; i++)
		vqd_put_desc(&drv, i, DATA + i, 1, i + 1 < VQ_SIZE_MAX ? VQD_NEXT : 0,
			     (uint16_t)(i + 1));
	vqd_offer(&drv, 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(vq_left(&c, VQ_READABLE), VQ_SIZE_MAX);
}

Test(virtqueue, a_head_may_come_again_once_it_was_used)
{
	vqd_put_desc(&drv, 3, DATA, 8, 0, 0);
	for (int i = 0; i < 3; i++) {
		vqd_offer(&drv, 3);
		cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
		vq_push(&q, &c);
	}
}

Test(virtqueue, a_device_that_only_pops_comes_to_an_end)
{
	unsigned int n = 0;

	/* Always another one available, of heads that never came back. */
	for (uint16_t i = 0; i < SIZE; i++)
		vqd_put_desc(&drv, i, DATA, 8, 0, 0);
	do {
		vqd_offer(&drv, (uint16_t)(n % SIZE));
	} while (vq_pop(&q, &c) == VQ_CHAIN && ++n < 1000);
	cr_assert_eq(n, SIZE);
}

Test(virtqueue, pushing_twice_is_a_bug, .signal = SIGILL)
{
	struct vqd_buf buf = {DATA, 4, true};

	vqd_add(&drv, &buf, 1);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	vq_push(&q, &c);
	vq_push(&q, &c);
}

Test(virtqueue, pushing_after_reset_is_a_bug, .signal = SIGILL)
{
	struct vqd_buf buf = {DATA, 4, true};

	vqd_add(&drv, &buf, 1);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	vq_reset(&q);
	vq_push(&q, &c);
}

/* ---- put back; filled and shown later ---- */

Test(virtqueue, what_is_put_back_is_popped_again_and_read_anew)
{
	struct vqd_buf buf[] = {{DATA, 4, false}, {DATA + 64, 8, true}};
	struct vqd_buf other = {DATA + 128, 5, true};
	uint16_t head = vqd_add(&drv, buf, 2);
	uint32_t id, len;

	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	vq_skip(&c, VQ_WRITABLE, 8);
	vq_unpop(&q, c.head);
	cr_assert_not(vqd_take(&drv, &id, &len), "the driver heard of it");
	/* A driver may not do this; what counts is that nothing of the first look is used. */
	vqd_put_desc(&drv, head, other.gpa, other.len, VQD_WRITE, 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	cr_assert_eq(c.head, head);
	cr_assert_eq(vq_left(&c, VQ_READABLE), 0);
	cr_assert_eq(vq_left(&c, VQ_WRITABLE), 5);
	cr_assert_eq(c.written_bytes, 0);
	vq_unpop(&q, c.head);
	vqd_put_desc(&drv, head, END, 4, VQD_WRITE, 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_BROKEN, "checked once only");
}

Test(virtqueue, several_are_put_back_in_reverse)
{
	static struct vq_chain chain[SIZE];
	struct vq_layout layout;
	uint16_t head[SIZE];
	uint32_t id, len;

	vqd_start_at(&drv, 65533); /* the index wraps on the way */
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	for (unsigned int i = 0; i < SIZE; i++) {
		struct vqd_buf buf = {DATA + 16 * i, 4, true};

		head[i] = vqd_add(&drv, &buf, 1);
	}
	cr_assert(vq_has(&q, SIZE) && !vq_has(&q, SIZE + 1));
	for (unsigned int i = 0; i < SIZE; i++)
		cr_assert_eq(vq_pop(&q, &chain[i]), VQ_CHAIN);
	cr_assert(vq_has(&q, 0) && !vq_has(&q, 1));
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	vq_push(&q, &chain[0]);
	for (unsigned int i = SIZE; i-- > 1;)
		vq_unpop(&q, chain[i].head);
	cr_assert(vq_has(&q, SIZE - 1) && !vq_has(&q, SIZE));
	for (unsigned int i = 1; i < SIZE; i++) {
		cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
		cr_assert_eq(c.head, head[i]);
		vq_push(&q, &c);
	}
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	for (unsigned int i = 0; i < SIZE; i++)
		cr_assert(vqd_take(&drv, &id, &len) && id == head[i]);
}

Test(virtqueue, what_is_put_back_twice_is_a_bug, .signal = SIGILL)
{
	struct vqd_buf buf = {DATA, 4, true};

	signal(SIGILL, SIG_DFL);
	vqd_add(&drv, &buf, 1);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	vq_unpop(&q, c.head);
	vq_unpop(&q, c.head);
}

Test(virtqueue, what_is_filled_shows_when_published)
{
	struct vqd_buf buf = {DATA, 4, true};
	uint32_t id, len;

	for (unsigned int i = 0; i < 3; i++)
		vqd_add(&drv, &buf, 1);
	for (unsigned int i = 0; i < 3; i++) {
		cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
		vq_skip(&c, VQ_WRITABLE, i + 1);
		vq_fill(&q, &c);
		cr_assert_not(vqd_take(&drv, &id, &len));
	}
	vq_publish(&q);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(vqd_take(&drv, &id, &len) && len == i + 1);
	cr_assert(vq_should_signal(&q));
	vq_publish(&q);
	cr_assert_not(vq_should_signal(&q), "nothing was pushed since");
	cr_assert_not(vqd_take(&drv, &id, &len));
}

Test(virtqueue, a_broken_ring_has_nothing)
{
	struct vqd_buf buf = {DATA, 4, true};

	vqd_add(&drv, &buf, 1);
	vqd_set_avail_idx(&drv, 100);
	cr_assert_not(vq_has(&q, 1));
	cr_assert(q.broken);
	vq_publish(&q);
	vq_reset(&q);
	cr_assert_not(vq_has(&q, 0));
}

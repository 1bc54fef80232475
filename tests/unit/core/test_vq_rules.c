/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The rules of the ring, each broken once
 */
#include "devices/core/virtqueue.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/vq_rig.h"

TestSuite(vq_rules, .init = start, .fini = stop);

static void head_outside(void)
{
	vqd_offer(&drv, SIZE);
}

static void head_far_outside(void)
{
	vqd_offer(&drv, 0xffff);
}

static void head_twice(void)
{
	vqd_put_desc(&drv, 3, DATA, 8, 0, 0);
	vqd_offer(&drv, 3);
	vqd_offer(&drv, 3);
}

static void index_too_far(void)
{
	vqd_set_avail_idx(&drv, SIZE + 1);
}

static void index_backwards(void)
{
	round_trip();
	round_trip();
	vqd_set_avail_idx(&drv, 1);
}

static void next_outside(void)
{
	vqd_put_desc(&drv, 0, DATA, 8, VQD_NEXT, SIZE);
	vqd_offer(&drv, 0);
}

static void chain_is_a_loop(void)
{
	vqd_put_desc(&drv, 0, DATA, 8, VQD_NEXT, 1);
	vqd_put_desc(&drv, 1, DATA, 8, VQD_NEXT, 0);
	vqd_offer(&drv, 0);
}

static void chain_is_its_own_next(void)
{
	vqd_put_desc(&drv, 4, DATA, 8, VQD_NEXT, 4);
	vqd_offer(&drv, 4);
}

static void empty_buffer(void)
{
	vqd_put_desc(&drv, 0, DATA, 0, 0, 0);
	vqd_offer(&drv, 0);
}

static void buffer_in_no_ram(void)
{
	vqd_put_desc(&drv, 0, END, 1, 0, 0);
	vqd_offer(&drv, 0);
}

static void buffer_ends_in_no_ram(void)
{
	vqd_put_desc(&drv, 0, END - 8, 9, VQD_WRITE, 0);
	vqd_offer(&drv, 0);
}

static void buffer_wraps(void)
{
	vqd_put_desc(&drv, 0, UINT64_MAX, 0x20000, 0, 0);
	vqd_offer(&drv, 0);
}

static void readable_after_writable(void)
{
	vqd_put_desc(&drv, 0, DATA, 8, VQD_NEXT | VQD_WRITE, 1);
	vqd_put_desc(&drv, 1, DATA, 8, 0, 0);
	vqd_offer(&drv, 0);
}

static void more_than_4_gib(void)
{
	setup(VQ_SIZE_MAX, VQD_F_INDIRECT);
	for (uint16_t i = 0; i < 256; i++)
		vqd_put_desc(&drv, i, HIGH, 16 << 20, i + 1 < 256 ? VQD_NEXT : 0,
			     (uint16_t)(i + 1));
	/* One byte more than a_chain_of_4_gib. */
	vqd_put_desc(&drv, 255, HIGH, (16 << 20) + 1, 0, 0);
	vqd_offer(&drv, 0);
}

static void one_bad_table(uint64_t gpa, uint32_t len, uint16_t flags)
{
	struct vqd_buf buf = {DATA, 8, false};

	for (unsigned int i = 0; i < VQ_SIZE_MAX; i++)
		vqd_put_desc_at(&ram, TABLE, i, &buf, 0, 0);
	vqd_put_desc(&drv, 0, gpa, len, VQD_INDIRECT | flags, 1);
	vqd_put_desc(&drv, 1, DATA, 8, 0, 0);
	vqd_offer(&drv, 0);
}

static void indirect_not_negotiated(void)
{
	setup(SIZE, 0);
	one_bad_table(TABLE, 16, 0);
}

static void indirect_and_next(void)
{
	one_bad_table(TABLE, 16, VQD_NEXT);
}

static void indirect_empty(void)
{
	one_bad_table(TABLE, 0, 0);
}

static void indirect_of_half_an_entry(void)
{
	one_bad_table(TABLE, 24, 0);
}

static void indirect_too_long(void)
{
	one_bad_table(TABLE, (VQ_SIZE_MAX + 1) * 16, 0);
}

static void indirect_in_no_ram(void)
{
	one_bad_table(END - 16, 32, 0);
}

static void indirect_in_two_regions(void)
{
	one_bad_table(MID - 16, 32, 0);
}

static void indirect_next_outside(void)
{
	struct vqd_buf buf = {DATA, 8, false};

	one_bad_table(TABLE, 32, 0);
	vqd_put_desc_at(&ram, TABLE, 0, &buf, VQD_NEXT, 2);
}

static void indirect_nested(void)
{
	struct vqd_buf buf = {TABLE + 16, 16, false};

	one_bad_table(TABLE, 16, 0);
	vqd_put_desc_at(&ram, TABLE, 0, &buf, VQD_INDIRECT, 0);
}

static void indirect_is_a_loop(void)
{
	struct vqd_buf buf = {DATA, 8, false};

	one_bad_table(TABLE, 16, 0);
	vqd_put_desc_at(&ram, TABLE, 0, &buf, VQD_NEXT, 0);
}

static void chain_longer_with_its_table(void)
{
	struct vqd_buf buf = {DATA, 8, true};

	for (unsigned int i = 0; i < VQ_SIZE_MAX; i++)
		vqd_put_desc_at(&ram, TABLE, i, &buf, i + 1 < VQ_SIZE_MAX ? VQD_NEXT : 0,
				(uint16_t)(i + 1));
	vqd_put_desc(&drv, 0, DATA, 8, VQD_NEXT, 1);
	vqd_put_desc(&drv, 1, TABLE, VQ_SIZE_MAX * 16, VQD_INDIRECT, 0);
	vqd_offer(&drv, 0);
}

static void too_many_pieces(void)
{
	setup(VQ_SIZE_MAX, VQD_F_INDIRECT);
	/* All of them over the same border, as no driver with a use for its memory would. */
	for (uint16_t i = 0; i < VQ_SIZE_MAX; i++)
		vqd_put_desc(&drv, i, MID - 8, 16, i + 1 < VQ_SIZE_MAX ? VQD_NEXT : 0,
			     (uint16_t)(i + 1));
	vqd_offer(&drv, 0);
}

static const struct {
	const char *name;
	void (*commit)(void);
	unsigned int pops_before; /* good chains that come first */
	const char *why;
} crimes[] = {
	{"head outside", head_outside, 0, "available head outside the queue"},
	{"head far outside", head_far_outside, 0, "available head outside the queue"},
	{"head twice", head_twice, 1, "available head in flight already"},
	{"index too far", index_too_far, 0, "available index ahead by more than the queue's size"},
	{"index backwards", index_backwards, 0,
	 "available index ahead by more than the queue's size"},
	{"next outside", next_outside, 0, "next index outside the queue"},
	{"loop of two", chain_is_a_loop, 0, "chain too long"},
	{"loop of one", chain_is_its_own_next, 0, "chain too long"},
	{"empty buffer", empty_buffer, 0, "empty buffer"},
	{"buffer in no RAM", buffer_in_no_ram, 0, "buffer outside guest memory"},
	{"buffer ends in no RAM", buffer_ends_in_no_ram, 0, "buffer outside guest memory"},
	{"buffer wraps", buffer_wraps, 0, "buffer outside guest memory"},
	{"too many pieces", too_many_pieces, 0, "buffer outside guest memory"},
	{"readable after writable", readable_after_writable, 0,
	 "readable buffer after a writable one"},
	{"more than 4 GiB", more_than_4_gib, 0, "chain of more than 2^32 bytes"},
	{"indirect not negotiated", indirect_not_negotiated, 0, "indirect table not negotiated"},
	{"indirect and next", indirect_and_next, 0, "indirect table with a next descriptor"},
	{"indirect empty", indirect_empty, 0, "indirect table of a bad length"},
	{"indirect half", indirect_of_half_an_entry, 0, "indirect table of a bad length"},
	{"indirect too long", indirect_too_long, 0, "indirect table of a bad length"},
	{"indirect in no RAM", indirect_in_no_ram, 0, "indirect table outside guest memory"},
	{"indirect in two regions", indirect_in_two_regions, 0,
	 "indirect table outside guest memory"},
	{"indirect next outside", indirect_next_outside, 0,
	 "next index outside the indirect table"},
	{"indirect nested", indirect_nested, 0, "indirect table inside an indirect table"},
	{"indirect loop", indirect_is_a_loop, 0, "chain too long"},
	{"chain and table", chain_longer_with_its_table, 0, "chain too long"},
};

Test(vq_rules, every_broken_rule_is_named)
{
	for (size_t i = 0; i < ARRAY_SIZE(crimes); i++) {
		memset(ram.base, 0, MID - RING);
		setup(SIZE, VQD_F_INDIRECT);
		crimes[i].commit();
		for (unsigned int n = 0; n < crimes[i].pops_before; n++)
			cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", crimes[i].name);
		cr_assert_eq(vq_pop(&q, &c), VQ_BROKEN, "%s", crimes[i].name);
		cr_assert_str_eq(q.why, crimes[i].why, "%s: %s", crimes[i].name, q.why);
	}
}

Test(vq_rules, broken_stays_broken_until_set_up_again)
{
	static struct vq_chain before;
	struct vqd_buf buf = {DATA, 4, true};
	uint32_t id, len;

	for (size_t i = 0; i < ARRAY_SIZE(crimes); i++) {
		memset(ram.base, 0, MID - RING);
		setup(SIZE, VQD_F_INDIRECT);
		crimes[i].commit();
		while (vq_pop(&q, &c) == VQ_CHAIN)
			;
		/* The driver repents: a ring as good as new, and a fine request in it. */
		vqd_init(&drv, &ram, drv.size, RING, drv.features);
		vqd_add(&drv, &buf, 1);
		cr_assert_eq(vq_pop(&q, &c), VQ_BROKEN, "%s", crimes[i].name);
		cr_assert_str_eq(q.why, crimes[i].why, "%s", crimes[i].name);
		cr_assert_not(vq_should_signal(&q));
		setup(SIZE, VQD_F_INDIRECT);
		round_trip();
	}

	/* What was in flight meanwhile comes back to us and goes no further. */
	vqd_add(&drv, &buf, 1);
	cr_assert_eq(vq_pop(&q, &before), VQ_CHAIN);
	vqd_offer(&drv, SIZE);
	cr_assert_eq(vq_pop(&q, &c), VQ_BROKEN);
	vq_push(&q, &before);
	cr_assert_not(vqd_take(&drv, &id, &len));
	cr_assert_not(vq_should_signal(&q));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One ring in guest RAM of three regions, and both its sides
 *
 * Two of the regions touch, the third is beyond 4 GiB. start() and stop() are a suite's.
 */
#ifndef VMRUN_TESTS_SUPPORT_VQ_RIG_H
#define VMRUN_TESTS_SUPPORT_VQ_RIG_H

#include <criterion/criterion.h>

#include "tests/support/vq_driver.h"

#define RING  0x10000ULL /* where the ring is */
#define DATA  0x18000ULL /* buffers */
#define TABLE 0x28000ULL /* indirect tables */
#define END   0x40000ULL /* of the first two regions, which touch at MID */
#define MID   0x30000ULL
#define HIGH  0x100000000ULL
#define SIZE  8

static const struct vqd_piece pieces[] = {
	{RING, MID - RING},
	{MID, END - MID},
	{HIGH, (16 << 20) + 4096},
};

static struct vqd_mem ram;
static struct gmem mem;
static struct vqd drv;
static struct vq q;
static struct vq_chain c;

/* An empty ring, which the device knows */
static void setup(uint16_t size, uint64_t features)
{
	struct vq_layout layout;

	vqd_init(&drv, &ram, size, RING, features);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
}

static void start(void)
{
	mem = (struct gmem){0};
	vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
	vqd_mem_map(&ram, &mem);
	setup(SIZE, VQD_F_INDIRECT);
}

static void stop(void)
{
	gmem_done(&mem);
	vqd_mem_done(&ram);
}

/* One honest request of one buffer, there and back */
static inline void round_trip(void)
{
	struct vqd_buf buf = {DATA, 4, true};
	uint16_t head = vqd_add(&drv, &buf, 1);
	uint32_t id, len;

	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
	cr_assert_eq(vq_write(&c, "pong", 4), 4);
	vq_push(&q, &c);
	cr_assert(vqd_take(&drv, &id, &len));
	cr_assert_eq(id, head);
	cr_assert_eq(len, 4);
}

#endif

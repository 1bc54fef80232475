/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The queues of a device that runs in the harness's own process, as vu_ring.c starts, rings and stops them
 */
#ifndef VMRUN_TESTS_FUZZ_FUZZ_RING_H
#define VMRUN_TESTS_FUZZ_FUZZ_RING_H

#include "devices/core/device.h"
#include "tests/fuzz/fuzz_input.h"

/** fuzz_ring_start() - Let the device use the ring @drv as its queue @q, from entry @next on */
static inline void fuzz_ring_start(struct device *d, unsigned int q, const struct vqd *drv,
				   uint16_t next)
{
	struct vq_layout l = vqd_layout(drv);

	l.next_avail = next;
	vr_assert(vq_setup(&d->vq[q], &d->mem, &l, &(struct err){0}) == 0);
	d->runs[q] = true;
	/* What is written there comes to nothing. Without one a broken queue would stop the loop. */
	d->err_fd[q] = 1 << 20;
}

/**
 * fuzz_ring_desc() - Write any descriptor: index u8, (address - @ram) / 4 u16, length u16, flags u8 whose high
 * nibble shifts the length, next u8
 */
static inline void fuzz_ring_desc(struct fuzz_input *in, struct vqd *drv, uint64_t ram)
{
	unsigned int index = fuzz_get8(in) % drv->size;
	uint64_t gpa = ram + fuzz_get16(in) * 4ULL;
	uint32_t len = fuzz_get16(in);
	unsigned int flags = fuzz_get8(in);

	vqd_put_desc(drv, (uint16_t)index, gpa, len << (flags >> 4), flags & 7,
		     (uint16_t)fuzz_get8(in));
}

/** fuzz_ring_kick() - The driver's doorbell */
static inline void fuzz_ring_kick(struct device *d, unsigned int q)
{
	if (d->vq[q].ready && !d->vq[q].broken)
		d->ops->queue(d, q);
}

/** fuzz_ring_held() - How many chains the device holds; 0 of a broken queue, of which nothing is expected */
static inline unsigned int fuzz_ring_held(const struct device *d, unsigned int q)
{
	unsigned int held = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(d->vq[q].in_flight); i++)
		held += (unsigned int)__builtin_popcountll(d->vq[q].in_flight[i]);
	return d->vq[q].broken ? 0 : held;
}

/** fuzz_ring_stop() - Take a ring back: the device holds nothing of it then.  Return: where it would go on */
static inline uint16_t fuzz_ring_stop(struct device *d, unsigned int q)
{
	if (d->ops->stop)
		d->ops->stop(d, q);
	vr_assert(fuzz_ring_held(d, q) == 0);
	d->runs[q] = false;
	return d->vq[q].next_avail;
}

#endif

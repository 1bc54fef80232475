/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vq_lend.h"

/**
 * vq_lend() - Hand a ring to the kernel
 * @q:		Ready, not broken, none of its chains popped and not pushed (vr_assert)
 *
 * The addresses hold until vq_take_back(), which has to come before the memory goes.
 * Context: locked.  Syscalls: none
 * Return: what vhost wants to know
 */
struct vq_loan vq_lend(struct vq *q)
{
	vr_assert(q->ready && !q->broken);
	for (size_t i = 0; i < ARRAY_SIZE(q->in_flight); i++)
		vr_assert(q->in_flight[i] == 0);
	q->ready = false;
	return (struct vq_loan){
		.size = q->size,
		.next_avail = q->next_avail,
		.desc_addr = (uintptr_t)q->desc,
		.avail_addr = (uintptr_t)q->avail,
		.used_addr = (uintptr_t)q->used,
	};
}

/**
 * vq_take_back() - The kernel has let go of the ring
 * @q:		Lent (vr_assert)
 * @next_avail:	Where it stopped
 *
 * The ring may be lent again or stopped. It is not served here before another vq_setup(): where the
 * kernel left the used ring is not looked at.
 * Context: locked.  Syscalls: none
 */
void vq_take_back(struct vq *q, uint16_t next_avail)
{
	vr_assert(!q->ready && q->desc);
	q->next_avail = next_avail;
	q->seen_avail = next_avail;
	q->ready = true;
}

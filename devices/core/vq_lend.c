/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vq_lend.h"

struct vq_loan vq_lend(struct vq *q)
{
	vr_assert(q->ready && !q->broken && !q->track.region);
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

void vq_take_back(struct vq *q, uint16_t next_avail)
{
	vr_assert(!q->ready && q->desc);
	q->next_avail = next_avail;
	q->seen_avail = next_avail;
	q->ready = true;
}

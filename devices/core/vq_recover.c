/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A ring whose last user died
 */
#include "devices/core/virtqueue.h"

#define VQ_USED_IDX_OFF 2U

int vq_recover(struct vq *q, volatile struct vq_region *region, uint16_t desc_num, struct err *err)
{
	int rc = vq_track_begin(&q->track, region, desc_num, q->size, q->next_used, err);

	if (rc <= 0)
		return rc;
	/* The notification is armed by the first vq_pop() that finds nothing. */
	q->next_avail = (uint16_t)(q->next_used + vq_track_left(&q->track));
	q->seen_avail = q->next_avail;
	return 0;
}

bool vq_used_idx(const struct gmem *mem, uint64_t used_gpa, uint16_t *ret)
{
	if (used_gpa > UINT64_MAX - VQ_USED_IDX_OFF)
		return false;
	return gmem_read(mem, used_gpa + VQ_USED_IDX_OFF, ret, sizeof(*ret));
}

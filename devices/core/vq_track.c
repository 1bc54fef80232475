/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vq_track.h"

#include <errno.h>

/*
 * The region is read after this process's death: what the process has stored is there, in the
 * order in which it stored it. Only the compiler could change that order.
 */
#define VQ_TRACK_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

size_t vq_region_bytes(uint16_t size)
{
	const size_t bytes = sizeof(struct vq_region) +
			     size * sizeof(((struct vq_region *)NULL)->desc[0]);

	return (bytes + VQ_REGION_ALIGN - 1) / VQ_REGION_ALIGN * VQ_REGION_ALIGN;
}

static void vq_track_make(volatile struct vq_region *r, uint16_t desc_num, uint16_t used_idx)
{
	for (unsigned int i = 0; i < desc_num; i++)
		r->desc[i].inflight = 0;
	r->features = 0;
	r->desc_num = desc_num;
	r->last_batch_head = 0;
	r->used_idx = used_idx;
	VQ_TRACK_ORDER();
	r->version = VQ_REGION_VERSION;
}

/* The driver has seen the last batch, and its marks may still be there. False for a list that is none */
static bool vq_track_end_batch(volatile struct vq_region *r, uint16_t size, uint16_t used_idx)
{
	const uint16_t nr = (uint16_t)(used_idx - r->used_idx);
	uint16_t head = r->last_batch_head;

	if (nr > size)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		if (head >= size)
			return false;
		r->desc[head].inflight = 0;
		head = r->desc[head].next;
	}
	VQ_TRACK_ORDER();
	r->used_idx = used_idx;
	return true;
}

/* Puts a marked chain among the others by its counter, which is read once here; a counter that changes later puts
 * chains into another order, and no more. */
static void vq_track_insert(struct vq_track *t, uint16_t head)
{
	const uint64_t counter = t->region->desc[head].counter;
	unsigned int at = t->nr_again++;

	for (; at > 0 && t->region->desc[t->again[at - 1]].counter > counter; at--)
		t->again[at] = t->again[at - 1];
	t->again[at] = head;
	if (counter >= t->counter)
		t->counter = counter + 1;
}

int vq_track_begin(struct vq_track *t, volatile struct vq_region *region, uint16_t desc_num,
		   uint16_t size, uint16_t used_idx, struct err *err)
{
	const uint16_t version = region->version;

	vr_assert(size <= desc_num && desc_num <= VQ_TRACK_MAX);
	if (version > VQ_REGION_VERSION)
		return err_text(err, EINVAL, "in-flight region of version %u", version);
	if (version == 0)
		vq_track_make(region, desc_num, used_idx);
	else if (region->features != 0 || region->desc_num != desc_num)
		return err_text(err, EINVAL, "in-flight region of another ring");
	else if (!vq_track_end_batch(region, size, used_idx))
		return err_text(err, EINVAL, "in-flight region with a list that is none");
	*t = (struct vq_track){.region = region};
	for (uint16_t head = 0; version > 0 && head < size; head++) {
		if (region->desc[head].inflight != 0)
			vq_track_insert(t, head);
	}
	return version > 0;
}

uint16_t vq_track_again(struct vq_track *t)
{
	vr_assert(t->next_again < t->nr_again);
	return t->again[t->next_again++];
}

void vq_track_popped(struct vq_track *t, uint16_t head)
{
	if (!t->region)
		return;
	t->fresh++;
	t->region->desc[head].counter = t->counter++;
	VQ_TRACK_ORDER();
	t->region->desc[head].inflight = 1;
}

bool vq_track_unpopped(struct vq_track *t, uint16_t head)
{
	if (!t->region)
		return true;
	if (t->fresh > 0) {
		t->fresh--;
		t->region->desc[head].inflight = 0;
		return true;
	}
	/* It stays marked: for the driver it was taken long ago. */
	vr_assert(t->next_again > 0);
	t->again[--t->next_again] = head;
	return false;
}

void vq_track_filled(struct vq_track *t, uint16_t head)
{
	volatile struct vq_region *r = t->region;

	if (!r)
		return;
	vr_assert(t->nr_filled < VQ_TRACK_MAX);
	t->filled[t->nr_filled++] = head;
	r->desc[head].next = r->last_batch_head;
	VQ_TRACK_ORDER();
	r->last_batch_head = head;
}

void vq_track_published(struct vq_track *t, uint16_t used_idx)
{
	volatile struct vq_region *r = t->region;

	if (!r)
		return;
	VQ_TRACK_ORDER();
	for (unsigned int i = 0; i < t->nr_filled; i++)
		r->desc[t->filled[i]].inflight = 0;
	t->nr_filled = 0;
	VQ_TRACK_ORDER();
	r->used_idx = used_idx;
}

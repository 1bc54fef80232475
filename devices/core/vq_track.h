/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Which requests a device has in its hands, in memory that outlives it
 *
 * "Inflight I/O tracking" of QEMU's vhost-user documentation, for split rings. A ring has a region in a file
 * that the front-end keeps open. virtqueue.c notes in it what it takes from the driver and gives back, in an
 * order that is right wherever the process may die:
 *
 *   pop:      counter of the chain, then its mark
 *   fill:     the chain joins the list of the last batch
 *   publish:  used.idx for the driver, then the marks of the batch are cleared, then used_idx
 *
 * A process that takes the ring over (vq_recover()) first clears the marks of a batch that the driver has
 * seen: used.idx is ahead of used_idx by its length. Marked chains are then answered to vq_pop() again, in
 * the order of their counters, before new ones. So each request gets one answer. It may be carried out twice.
 *
 * The last user of a region may have been in enemy hands: what is read from it is checked.
 */
#ifndef VMRUN_DEVICES_CORE_VQ_TRACK_H
#define VMRUN_DEVICES_CORE_VQ_TRACK_H

#include "devices/core/base.h"
#include "devices/core/err.h"

#define VQ_TRACK_MAX 1024 /* entries of a ring */
#define VQ_REGION_ALIGN                                                                            \
	64 /* of each ring's region; the specification is silent, others do the same */
#define VQ_REGION_VERSION 1

/**
 * struct vq_region - The specification's QueueRegionSplit
 * @features:	None are defined
 * @version:	0: nothing was noted yet
 * @desc_num:	Elements of @desc
 * @last_batch_head: The chain that was filled last
 * @used_idx:	used.idx when the last batch was complete
 * @desc:	By head. @inflight: the device has the chain. @next: the one filled before it
 */
struct vq_region {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct {
		uint8_t inflight;
		uint8_t padding[5];
		uint16_t next;
		uint64_t counter;
	} desc[];
};

_Static_assert(sizeof(struct vq_region) == 16, "layout of the specification");

/**
 * struct vq_track - What is tracked of one ring; zeroed: nothing
 * @region:	Borrowed, shared; NULL: none
 * @counter:	Of the next chain that comes from the driver
 * @fresh:	Chains from the driver, without those put back
 * @again:	Heads to answer again, in this order, from @next_again on
 * @filled:	Heads filled since the last vq_track_published()
 */
struct vq_track {
	volatile struct vq_region *region;
	uint64_t counter, fresh;
	uint16_t nr_again, next_again, nr_filled;
	uint16_t again[VQ_TRACK_MAX];
	uint16_t filled[VQ_TRACK_MAX];
};

/**
 * vq_region_bytes() - Size of the region of a ring
 * @size:	Entries
 */
size_t vq_region_bytes(uint16_t size);

/**
 * vq_track_begin() - Track a ring, and find out what its last user had in flight
 * @t:		Overwritten whole, unless the region is refused
 * @region:	Hostile; vq_region_bytes(@desc_num), aligned to 8 bytes
 * @desc_num:	What its elements count, or shall count if it is new
 * @size:	Entries of the ring, at most @desc_num
 * @used_idx:	Of the used ring
 *
 * Context: locked
 * Syscalls: none
 * Return: 1 when it had a user, 0 when it is new, -EINVAL
 */
MUST_CHECK int vq_track_begin(struct vq_track *t, volatile struct vq_region *region,
			      uint16_t desc_num, uint16_t size, uint16_t used_idx, struct err *err);

/** vq_track_left() - How many chains are still to be answered again */
static inline unsigned int vq_track_left(const struct vq_track *t)
{
	return t->nr_again - (unsigned int)t->next_again;
}

/** vq_track_again() - Take the next chain to answer again; one is left */
uint16_t vq_track_again(struct vq_track *t);

/** vq_track_popped() - The chain @head came from the driver */
void vq_track_popped(struct vq_track *t, uint16_t head);

/**
 * vq_track_unpopped() - The chain @head, popped last, is put back
 *
 * Return: whether it goes to the driver's ring; otherwise it is answered again
 */
bool vq_track_unpopped(struct vq_track *t, uint16_t head);

/** vq_track_filled() - The chain @head is in the used ring, and the driver does not see it yet */
void vq_track_filled(struct vq_track *t, uint16_t head);

/** vq_track_published() - The driver sees all that was filled: used.idx is @used_idx */
void vq_track_published(struct vq_track *t, uint16_t used_idx);

#endif

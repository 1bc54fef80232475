/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The front-end's memory for what is in flight, mapped: the regions of all rings (vq_track.h)
 */
#ifndef VMRUN_DEVICES_CORE_VU_INFLIGHT_H
#define VMRUN_DEVICES_CORE_VU_INFLIGHT_H

#include "devices/core/vq_track.h"
#include "devices/core/vu_msg.h"

/**
 * struct vu_inflight - The mapping; zeroed: none
 * @base:	Owned; shared with the front-end
 * @nr_queues:	Rings that have a region
 * @queue_size:	Entries for which each has room
 */
struct vu_inflight {
	uint8_t *base;
	size_t bytes;
	uint16_t nr_queues;
	uint16_t queue_size;
};

/**
 * vu_inflight_bytes() - How much memory the regions of @nr_queues rings of @queue_size entries take
 *
 * Both are hostile.
 * Context: any
 * Syscalls: none
 * Return: 0 for numbers that are none of a device's
 */
size_t vu_inflight_bytes(uint64_t nr_queues, uint64_t queue_size);

/**
 * vu_inflight_set() - SET_INFLIGHT_FD: map the regions, in place of those before
 * @m:		Obeys its rule; its fd is borrowed
 *
 * Context: locked
 * Syscalls: fstat mmap munmap
 * Return: 0 or -errno, nothing changed
 */
MUST_CHECK int vu_inflight_set(struct vu_inflight *i, const struct vu_msg *m, struct err *err);

/**
 * vu_inflight_region() - The region of ring @q; NULL if it has none
 *
 * It is of vq_region_bytes(@i->queue_size).
 */
volatile struct vq_region *vu_inflight_region(const struct vu_inflight *i, unsigned int q);

/** vu_inflight_done() - Unmap; safe on a zeroed struct.  Syscalls: munmap */
void vu_inflight_done(struct vu_inflight *i);

#endif

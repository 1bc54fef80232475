/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Rings that the kernel serves
 *
 * The one place where ring pointers leave the virtqueue module. vhost in the kernel takes a ring by the
 * addresses at which this process has mapped it, and reads it by its own rules. A lent ring is not ready:
 * vq_pop() finds nothing in it.
 */
#ifndef VMRUN_DEVICES_CORE_VQ_LEND_H
#define VMRUN_DEVICES_CORE_VQ_LEND_H

#include "devices/core/virtqueue.h"

/** struct vq_loan - A ring for vhost; the areas are what vq_setup() checked */
struct vq_loan {
	uint16_t size;
	uint16_t next_avail;
	uint64_t desc_addr, avail_addr, used_addr;
};

/**
 * vq_lend() - Hand a ring to the kernel
 * @q:		Ready, not broken, not tracked, none of its chains popped and not pushed (vr_assert)
 *
 * The addresses hold until vq_take_back(), which has to come before the memory goes.
 * Context: locked
 * Syscalls: none
 * Return: what vhost wants to know
 */
struct vq_loan vq_lend(struct vq *q);

/**
 * vq_take_back() - The kernel has let go of the ring
 * @q:		Lent (vr_assert)
 * @next_avail:	Where it stopped
 *
 * The ring may be lent again or stopped. It is not served here before another vq_setup(): where the
 * kernel left the used ring is ignored.
 * Context: locked
 * Syscalls: none
 */
void vq_take_back(struct vq *q, uint16_t next_avail);

#endif

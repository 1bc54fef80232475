/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Handing the rings to a vhost-user back-end, and taking them back
 *
 * start: for each enabled queue SET_VRING_NUM, BASE, ADDR, ERR, CALL, KICK; then SET_VRING_ENABLE for
 *        each, where protocol features were agreed on. Without them a ring that was kicked is enabled.
 * stop:  GET_VRING_BASE for each: the answer means that the device does not touch the ring any more. It
 *        comes when the device has finished its work, so a disk that stands still delays it.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_RINGS_H
#define VMRUN_VMM_VIRTIO_VU_RINGS_H

#include "vmm/virtio/backend.h"
#include "vmm/virtio/vu_conn.h"

/**
 * struct vu_rings - Bitmaps of the rings that the device has; zeroed at first
 * @started:	Handed over since the last stop
 * @stopping:	The device was asked for them, and has not answered yet
 */
struct vu_rings {
	uint32_t started, stopping;
};

/**
 * vu_rings_start() - Hand over the enabled queues
 * @be:		Its eventfds go along
 * @q:		be->nr_queues elements
 * @enable:	With SET_VRING_ENABLE
 *
 * Syscalls: sendto sendmsg poll recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_rings_start(struct vu_rings *r, struct vu_conn *c, const struct backend *be,
			      const struct backend_queue *q, bool enable, struct err *err);

/**
 * vu_rings_stop() - Ask for all rings, or go on with that
 * @waited_ms:	As backend_ops.stop's
 *
 * Syscalls: sendto poll recvmsg read close
 * Return: 0; 1 while the device still has one; -errno
 */
MUST_CHECK int vu_rings_stop(struct vu_rings *r, struct vu_conn *c, unsigned int waited_ms,
			     struct err *err);

#endif

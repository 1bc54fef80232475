/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Giving the rings to a vhost-user back-end, and taking them back
 *
 * start: for each enabled queue SET_VRING_NUM, BASE, ADDR, ERR, CALL, KICK; then SET_VRING_ENABLE for
 *        each, if protocol features were agreed on. Otherwise KICK enables the ring.
 * stop:  GET_VRING_BASE for each. The answer means that the device no longer touches the ring. It comes when
 *        the device has finished its work, so it may take as long as the host's disk does.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_RINGS_H
#define VMRUN_VMM_VIRTIO_VU_RINGS_H

#include "vmm/virtio/backend.h"
#include "vmm/virtio/vu_conn.h"

/**
 * struct vu_rings - Bitmaps of the rings that the device has; zeroed at first
 * @started:	Given since the last stop
 * @stopping:	Asked for; the answer is outstanding
 * @base:	Where each ring goes on; not a bitmap
 */
struct vu_rings {
	uint32_t started, stopping;
	uint16_t base[BACKEND_QUEUES_MAX];
};

/**
 * vu_rings_start() - Give the enabled queues to the back-end, with the eventfds of @be
 * @q:		be->nr_queues elements
 * @enable:	Send SET_VRING_ENABLE
 *
 * Syscalls: sendto sendmsg poll recvfrom recvmsg read close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_rings_start(struct vu_rings *r, struct vu_conn *c, const struct backend *be,
			      const struct backend_queue *q, bool enable, struct err *err);

/**
 * vu_rings_stop() - Take all rings back, or continue to
 * @waited_ms:	As in backend_ops.stop
 *
 * Syscalls: sendto poll recvfrom recvmsg read close
 * Return: 0; 1 while the device still has one; -errno
 */
MUST_CHECK int vu_rings_stop(struct vu_rings *r, struct vu_conn *c, unsigned int waited_ms,
			     struct err *err);

#endif

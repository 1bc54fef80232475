/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vhost-user back-end: serves one front-end with one device
 */
#ifndef VMRUN_DEVICES_CORE_VU_BACKEND_H
#define VMRUN_DEVICES_CORE_VU_BACKEND_H

#include "devices/core/device.h"
#include "devices/core/vu_msg.h"

/**
 * struct vu_backend - One connection
 * @sock:	Borrowed
 * @state:	VU_STATE_*
 * @seen:	Requests seen, for rules that allow one once
 * @ring:	What the front-end told about each ring before it is started
 */
struct vu_backend {
	struct device *dev;
	int sock;
	uint32_t state;
	uint64_t seen;
	uint64_t protocol_features;
	uint8_t status;
	struct vu_ring {
		struct vq_layout layout;
		int kick_fd;
		bool have_addr;
		bool enabled;
	} ring[DEVICE_QUEUES_MAX];
};

/**
 * vu_backend_init() - Watch @sock in the device's loop and serve it
 *
 * When the front-end goes away, or breaks a rule, the device is reset and the loop stopped.
 * Context: setup; everything after it runs from the loop.
 * Syscalls: epoll_ctl; later recvmsg sendmsg read write mmap munmap fstat close epoll_ctl
 */
MUST_CHECK int vu_backend_init(struct vu_backend *b, struct device *dev, int sock, struct err *err);

/** vu_backend_done() - Reset the device and close what the front-end sent */
void vu_backend_done(struct vu_backend *b);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The seam between a transport (virtio_pci.c) and the device behind it (vu_frontend.c)
 *
 * The transport owns the guest's view: status, feature negotiation, queue registers, interrupts. When the
 * driver sets DRIVER_OK, the back-end gets a checked description of the queues, which does not change
 * until it is stopped. Three eventfds per queue exist for the life of the VM.
 */
#ifndef VMRUN_VMM_VIRTIO_BACKEND_H
#define VMRUN_VMM_VIRTIO_BACKEND_H

#include "devices/core/base.h"
#include "devices/core/boot.h"
#include "devices/core/err.h"
#include "devices/core/vu_msg.h"

#define BACKEND_QUEUES_MAX BOOT_QUEUES_MAX
#define BACKEND_CONFIG_MAX VU_CONFIG_BYTES_MAX

/**
 * struct backend_queue - One queue: set up by the driver, checked by the transport
 * @size:	Power of two, at most backend->queue_max
 * @desc_gpa:	Aligned to 16 bytes, with room for @size entries in guest RAM; likewise @avail_gpa (2) and
 *		@used_gpa (4)
 */
struct backend_queue {
	bool enabled;
	uint16_t size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
};

struct backend;

/**
 * struct backend_ops - Calls of the transport; all but @hear with the bus lock held, on a vCPU's thread
 * @start:	The driver has set DRIVER_OK with @features; @q has backend->nr_queues elements, borrowed
 *		during the call
 * @stop:	Take the rings back. Never waits. Returns 0 when the device no longer touches any ring; 1
 *		while it still holds one, for instance because the host's disk does not answer. Then call
 *		it again when peer_fd is readable or some time has passed, and give that time in
 *		@waited_ms. Until it returns 0, call nothing else, except to read a configuration space
 *		that is not stale
 * @resume:	Give the rings back that @stop took, with what they were started with: the driver has not
 *		noticed
 * @config:	Read or write configuration space; @off + @len <= config_bytes. -EAGAIN: the device is away,
 *		write again later
 * @hear:	change_fd is readable: receive a bounded number of messages, and say whether the
 *		configuration space has changed. Never waits. On the main thread, without the bus lock: a
 *		vCPU may hold that while it waits for a device, which in turn waits until we receive.
 *		Returns 1; 0 if no more messages will come; -errno after a violation
 * @hung_up:	peer_fd was hung up, and is not watched any more. Returns whether the device may come back;
 *		peer_fd is then closed, and -1
 *
 * The others return 0 or -errno. device_late decides how long they wait for the other process. After a
 * failure the back-end is dead: every later call fails at once.
 */
struct backend_ops {
	int (*start)(struct backend *b, uint64_t features, const struct backend_queue *q,
		     struct err *err);
	int (*stop)(struct backend *b, unsigned int waited_ms, struct err *err);
	int (*resume)(struct backend *b, struct err *err);
	int (*config)(struct backend *b, bool write, uint32_t off, void *buf, uint32_t len,
		      struct err *err);
	int (*hear)(struct backend *b, bool *ret_changed, struct err *err);
	bool (*hung_up)(struct backend *b);
};

/**
 * struct backend - One device, seen from its transport
 * @name:	For log lines; borrowed. Errors do not contain it: callers prepend it
 * @features:	Features for the driver, with VERSION_1
 * @kick_fd:	Guest to device; the transport binds it to the doorbell
 * @call_fd:	Device to guest; the transport binds it to an interrupt
 * @err_fd:	Device to transport: the driver broke this queue. Consecutive queues may share one
 * @peer_fd:	Readable when the device answers, hangs up when its process dies; -1 = none, or away
 * @change_fd:	Readable when the device sends messages of its own (ops->hear); -1 = none
 * @config_stale: Set by the transport after a change, bus lock held: the next ops->config asks the device
 *
 * The back-end owns the fds; but for peer_fd they are open for its whole life.
 */
struct backend {
	const struct backend_ops *ops;
	const char *name;
	uint16_t virtio_id;
	uint16_t nr_queues;
	uint16_t queue_max;
	uint16_t config_bytes;
	uint64_t features;
	int kick_fd[BACKEND_QUEUES_MAX];
	int call_fd[BACKEND_QUEUES_MAX];
	int err_fd[BACKEND_QUEUES_MAX];
	int peer_fd;
	int change_fd;
	bool config_stale;
};

/**
 * struct device_late - Asked repeatedly while a device does not answer
 * @fn:		Whether to go on waiting; NULL = no. Called with the bus lock held, on any thread
 * @ms:		How long the wait has been, a multiple of the front-end's late_ms
 */
struct device_late {
	bool (*fn)(void *arg, const char *device, unsigned int ms);
	void *arg;
};

#endif

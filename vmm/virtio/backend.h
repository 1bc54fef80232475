/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The seam between a transport (virtio_pci.c) and what carries out the device (vu_frontend.c)
 *
 * The transport owns the guest's view: status, feature negotiation, queue registers, interrupts.
 * The back-end gets a validated description of the queues when the driver says DRIVER_OK, which
 * does not change until it is stopped, and three eventfds a queue that are made once, before
 * lockdown.
 */
#ifndef VMRUN_VMM_VIRTIO_BACKEND_H
#define VMRUN_VMM_VIRTIO_BACKEND_H

#include "devices/core/base.h"
#include "devices/core/boot.h"
#include "devices/core/err.h"

#define BACKEND_QUEUES_MAX BOOT_QUEUES_MAX
#define BACKEND_CONFIG_MAX 256

/**
 * struct backend_queue - One queue, as the driver set it up and the transport checked it
 * @size:	Power of two, at most backend->queue_max
 * @desc_gpa:	16-byte aligned, and inside guest RAM as far as @size entries need it; likewise
 *		@avail_gpa (2) and @used_gpa (4)
 */
struct backend_queue {
	bool enabled;
	uint16_t size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
};

struct backend;

/**
 * struct backend_ops - Calls of the transport; but for @hear, bus lock held, on a vCPU's thread
 * @start:	The driver said DRIVER_OK with @features; @q has backend->nr_queues elements,
 *		borrowed during the call
 * @stop:	Have the device let go of its rings, or go on with that: 1 while it still holds one, which it
 *		may for as long as its host's disk stands still. Call again then, when peer_fd is readable or
 *		some time has passed, and say how much in @waited_ms; nothing else meanwhile but reads
 *		of a configuration space that is not stale. Never waits. No ring is touched any more
 *		when this returns 0
 * @config:	Read or write configuration space; @off + @len <= config_bytes
 * @hear:	change_fd is ready: take in what the device says, a bounded part of it, and say whether its
 *		configuration space has changed. Never waits. On the main thread, without the bus lock:
 *		somebody else may be holding that while he waits for a device that waits to be heard.
 *		1; 0 when the device will say no more; -errno after a breach
 *
 * The others return 0 or -errno. How long they wait for the other process is device_late's to
 * say. After a failure the back-end is dead: every later call fails at once.
 */
struct backend_ops {
	int (*start)(struct backend *b, uint64_t features, const struct backend_queue *q,
		     struct err *err);
	int (*stop)(struct backend *b, unsigned int waited_ms, struct err *err);
	int (*config)(struct backend *b, bool write, uint32_t off, void *buf, uint32_t len,
		      struct err *err);
	int (*hear)(struct backend *b, bool *ret_changed, struct err *err);
};

/**
 * struct backend - One device, seen from its transport
 * @name:	For log lines; borrowed. Errors do not repeat it: callers put it before them
 * @features:	What may be offered to the driver, VERSION_1 included
 * @kick_fd:	Guest to device; the transport binds it to the doorbell
 * @call_fd:	Device to guest; the transport binds it to an interrupt
 * @err_fd:	Device to transport: the driver broke this queue. Queues that share one follow each other
 * @peer_fd:	Readable when the device answers, hangs up when its process dies; -1 where there is none
 * @change_fd:	Readable when the device has something to say (ops->hear), -1 where it never has
 * @config_stale: Set by the transport after such a change, bus lock held: the next ops->config asks the
 *		device
 *
 * The fds are the back-end's, open as long as it lives.
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
 * struct device_late - Whom to ask about a device that does not answer, again and again
 * @fn:		Whether to go on waiting. NULL: no. Called likewise
 * @ms:		For how long it has not, a multiple of what its front-end calls late
 */
struct device_late {
	bool (*fn)(void *arg, const char *device, unsigned int ms);
	void *arg;
};

#endif

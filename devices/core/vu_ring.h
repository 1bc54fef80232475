/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A vhost-user connection's state, and its requests about rings and memory; private to vu_backend.c
 *
 * One function a request. Each gets a message that obeys its rule (vu_msg.h), may take its fds, and
 * where the rule says so turns it into the reply. They run from the loop, after lockdown.
 */
#ifndef VMRUN_DEVICES_CORE_VU_RING_H
#define VMRUN_DEVICES_CORE_VU_RING_H

#include "devices/core/device.h"
#include "devices/core/vu_inflight.h"
#include "devices/core/vu_msg.h"

/**
 * struct vu_backend - One connection
 * @dev:	Borrowed
 * @sock:	Borrowed
 * @state:	VU_STATE_*
 * @seen:	Requests seen, for rules that allow one once
 * @channel:	From SET_BACKEND_REQ_FD, owned; -1 = none
 * @running:	Rings started
 * @inflight:	What the rings are tracked in when they start
 * @filter:	Its second program is loaded once the memory is there (lockdown_later()); NULL: front-ends come and go, and
 *		each brings memory
 * @settled:	The memory is there: no other is taken, and none is given back before the process ends
 * @region:	Has the supervisor answer GET_INFLIGHT_FD; NULL: this back-end has no memory to give
 * @broke_rules: The connection ended because of what the front-end sent
 * @limit:	Budget for log lines about requests that failed
 * @ring:	What the front-end set for each ring, used when the ring starts; @started until it
 *		stops
 */
struct vu_backend {
	struct device *dev;
	int sock;
	uint32_t state;
	uint64_t seen;
	uint64_t protocol_features;
	int channel;
	unsigned int running;
	struct vu_inflight inflight;
	const struct boot_filter *filter;
	bool settled;
	int (*region)(const struct vu_msg *m, struct err *err);
	bool broke_rules;
	struct log_limit limit;
	struct vu_ring {
		struct vu_backend *b;
		struct vu_vring_addr addr;
		uint16_t size;
		uint16_t base;
		bool have_addr;
		bool started;
		bool enabled;
	} ring[BOOT_QUEUES_MAX];
};

/**
 * vu_set_mem_table() - SET_MEM_TABLE: map the guest's memory
 * @m:		Obeys its rule; its fds are borrowed
 *
 * Running rings go on in the new memory. Refused, with nothing changed, while the device holds chains
 * that it does not put back or when a region cannot be mapped; a ring that does not lie in the new
 * memory is stopped. Refused likewise once the memory is settled.
 * Context: locked
 * Syscalls: fstat mmap munmap, and those of the device
 * Return: 0 or -errno
 */
MUST_CHECK int vu_set_mem_table(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_num() - SET_VRING_NUM: entries of a stopped ring
 *
 * Context: locked
 * Syscalls: none
 * Return: 0; -EBUSY while it runs; -EINVAL
 */
MUST_CHECK int vu_set_vring_num(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_addr() - SET_VRING_ADDR: where a stopped ring is, in the front-end's addresses
 *
 * They are translated when the ring starts.
 * Context: locked
 * Syscalls: none
 * Return: 0; -EBUSY while it runs; -EINVAL
 */
MUST_CHECK int vu_set_vring_addr(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_base() - SET_VRING_BASE: the available index at which a stopped ring goes on
 *
 * Context: locked
 * Syscalls: none
 * Return: 0; -EBUSY while it runs; -EINVAL
 */
MUST_CHECK int vu_set_vring_base(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_get_vring_base() - GET_VRING_BASE: stop a ring and say where it stopped
 *
 * Context: locked
 * Syscalls: epoll_ctl close, and those of the device
 * Return: 0 with @m turned into the reply, or -EINVAL
 */
MUST_CHECK int vu_get_vring_base(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_kick() - SET_VRING_KICK: take a ring's doorbell and start the ring
 *
 * On a ring that runs it only changes the doorbell. No doorbell, which asks for polling, is refused.
 * Context: locked
 * Syscalls: epoll_ctl close, and those of the device
 * Return: 0 or -errno, the ring then being stopped
 */
MUST_CHECK int vu_set_vring_kick(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_call() - SET_VRING_CALL: take a ring's interrupt, or do without one
 *
 * Context: locked
 * Syscalls: close, and those of the device
 * Return: 0 or -EINVAL
 */
MUST_CHECK int vu_set_vring_call(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_err() - SET_VRING_ERR: take the eventfd that tells of a broken ring
 *
 * Context: locked
 * Syscalls: close, and those of the device
 * Return: 0 or -EINVAL
 */
MUST_CHECK int vu_set_vring_err(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_set_vring_enable() - SET_VRING_ENABLE: whether a started ring is processed
 *
 * Context: locked
 * Syscalls: those of the device
 * Return: 0 or -EINVAL
 */
MUST_CHECK int vu_set_vring_enable(struct vu_backend *b, struct vu_msg *m, struct err *err);

/**
 * vu_ring_stop_all() - Stop every ring; the last one resets the device
 *
 * Context: locked
 * Syscalls: epoll_ctl close, and those of the device
 */
void vu_ring_stop_all(struct vu_backend *b);

#endif

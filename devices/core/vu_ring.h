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
#include "devices/core/vu_msg.h"

/**
 * struct vu_backend - One connection
 * @dev:	Borrowed
 * @sock:	Borrowed
 * @state:	VU_STATE_*
 * @seen:	Requests seen, for rules that allow one once
 * @channel:	From SET_BACKEND_REQ_FD, owned; -1 = none
 * @running:	Rings started
 * @broke_rules: The connection ended because of what the front-end sent
 * @limit:	Budget for log lines about requests that failed
 * @ring:	What the front-end told about each ring, to be used when it is started; @started until
 *		it is stopped
 */
struct vu_backend {
	struct device *dev;
	int sock;
	uint32_t state;
	uint64_t seen;
	uint64_t protocol_features;
	int channel;
	unsigned int running;
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

MUST_CHECK int vu_set_mem_table(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_num(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_addr(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_base(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_get_vring_base(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_kick(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_call(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_err(struct vu_backend *b, struct vu_msg *m, struct err *err);
MUST_CHECK int vu_set_vring_enable(struct vu_backend *b, struct vu_msg *m, struct err *err);

/** vu_ring_stop_all() - Stop every ring; the last one resets the device */
void vu_ring_stop_all(struct vu_backend *b);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The requests of a vhost-user front-end about rings and memory; private to vu_backend.c
 *
 * One function a request. Each gets a message that obeys its rule (vu_msg.h), may take its fds, and
 * where the rule says so turns it into the reply. They run from the loop, after lockdown.
 */
#ifndef VMRUN_DEVICES_CORE_VU_RING_H
#define VMRUN_DEVICES_CORE_VU_RING_H

#include "devices/core/vu_backend.h"

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

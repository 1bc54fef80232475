/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What is different with a vhost-user back-end of others
 *
 * Ours have all that the front-end wants. Those of others may lack a protocol feature, and may leave to the front-end
 * what other VMMs do there: the control queue of a network device. We do without it.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_OTHERS_H
#define VMRUN_VMM_VIRTIO_VU_OTHERS_H

#include "devices/core/err.h"

/** How long a back-end of others may take to answer */
#define VU_OTHERS_MS 5000

/** vu_others_counts_pairs() - Whether GET_QUEUE_NUM counts pairs of queues of this device: then it is not asked */
bool vu_others_counts_pairs(uint16_t virtio_id);

/**
 * vu_others_check() - Withhold the features that we cannot offer
 * @config:	There is a configuration space
 * @features:	The back-end's; changed
 *
 * Return: 0, or -EPROTO if the device does not work that way
 */
MUST_CHECK int vu_others_check(uint16_t virtio_id, uint16_t nr_queues, bool config,
			       uint64_t *features, struct err *err);

/**
 * vu_others_may_return() - Whether the next process of a back-end can go on where this one ends
 * @tracks:	It notes what is in flight
 *
 * Return: 0, or -EPROTO
 */
MUST_CHECK int vu_others_may_return(uint16_t virtio_id, bool tracks, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The memory in which a back-end notes what is in flight, kept by the front-end
 *
 * A back-end of ours gets memory that the supervisor made: its jail cannot make any. Others are asked for
 * theirs (GET_INFLIGHT_FD). A new driver's rings begin with a new region; a back-end that takes over from one
 * that died gets the region as that one left it.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_REGION_H
#define VMRUN_VMM_VIRTIO_VU_REGION_H

#include "vmm/virtio/vu_conn.h"

/**
 * struct vu_region - Zeroed: the back-end is asked for one
 * @fd:		Of @base borrowed, otherwise owned; @area says where in it
 * @base:	Where the supervisor's memory is mapped here, borrowed; NULL: the back-end's own is used
 * @once:	The back-end takes memory once in a connection: it is one of ours (devices/core/vu_ring.h)
 * @sent:	It has this region
 * @ask:	Ask the back-end first: it is not known to be one of ours, which takes that memory
 */
struct vu_region {
	int fd;
	uint8_t *base;
	bool ask, once, sent;
	struct vu_inflight_area area;
};

/**
 * vu_region_renew() - Before the rings of a new driver: have a new region, and send it
 * @nr_queues:	Rings
 * @queue_size:	Entries that each may have
 *
 * Syscalls: sendto sendmsg poll recvfrom recvmsg read close
 * Return: 0, also if the back-end has none; or -errno
 */
MUST_CHECK int vu_region_renew(struct vu_region *r, struct vu_conn *c, uint16_t nr_queues,
			       uint16_t queue_size, struct err *err);

/**
 * vu_region_send() - Send the region as it is, if there is one, and if the back-end does not have it
 *
 * Syscalls: sendmsg poll recvfrom recvmsg read close
 */
MUST_CHECK int vu_region_send(struct vu_region *r, struct vu_conn *c, struct err *err);

/** vu_region_done() - Close what is owned; safe on a zeroed struct.  Syscalls: close */
void vu_region_done(struct vu_region *r);

#endif

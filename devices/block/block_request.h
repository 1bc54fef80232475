/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a request asks for, piece by piece
 *
 * block_request_begin() reads a chain's header. Then block_request_next() fills in one piece after the other,
 * the caller has it carried out, and block_request_done() accounts for it, until none is left; then
 * block_request_answer(). All of it runs in the loop. Only a piece, which holds neither ring nor chain, goes
 * elsewhere: between two pieces nothing touches guest memory.
 */
#ifndef VMRUN_DEVICES_BLOCK_BLOCK_REQUEST_H
#define VMRUN_DEVICES_BLOCK_BLOCK_REQUEST_H

#include <linux/virtio_blk.h>

#include "devices/block/block_backing.h"
#include "devices/core/virtqueue.h"

/* Discard and write zeroes: ranges of one request, and sectors of one range */
#define BLOCK_RANGES_MAX	  16U
#define BLOCK_DISCARD_SECTORS_MAX (1U << 21)  /* 1 GiB */
#define BLOCK_ZERO_SECTORS_MAX	  (64U << 11) /* 64 MiB: they may have to be written */

/**
 * struct block_disk - What requests are checked against
 * @write_through: The driver has no flush: a write is answered only when it is on the disk
 * @sectors:	Its size
 * @id:		What VIRTIO_BLK_T_GET_ID answers, padded with zeros
 */
struct block_disk {
	bool read_only, write_through;
	uint64_t sectors;
	uint8_t id[VIRTIO_BLK_ID_BYTES];
};

/**
 * struct block_request - A request in work
 * @kind:	NULL in a slot without one
 * @queue:	Where it came from
 * @off, @bytes: The rest of the range at hand; checked
 * @status:	The answer, or BLOCK_MORE while there is none
 * @pieces:	How many are done
 * @last:	No piece follows the one at hand, if all goes well
 * @io:		The piece at hand
 */
struct block_request {
	const struct block_kind *kind;
	unsigned int queue;
	uint64_t off, bytes;
	uint8_t status;
	bool last;
	unsigned int pieces;
	struct block_io io;
	struct vq_chain chain;
};

/**
 * block_request_begin() - Take up the request in r->chain
 * @r:		Its chain has just been popped
 *
 * A wrong request has its answer at once, and no pieces but those that blank the driver's buffers.
 * Context: locked
 * Syscalls: none
 * Return: false for a chain that cannot be answered
 */
MUST_CHECK bool block_request_begin(const struct block_disk *d, struct block_request *r);

/**
 * block_request_next() - Fill in r->io
 *
 * Context: locked
 * Syscalls: none
 * Return: false when no piece is left
 */
MUST_CHECK bool block_request_next(const struct block_disk *d, struct block_request *r);

/**
 * block_request_done() - Account for r->io, whose result is r->io.rc
 *
 * Context: locked
 * Syscalls: none
 */
void block_request_done(struct block_request *r);

/**
 * block_request_answer() - Write the status byte, the last one of the chain
 *
 * The chain can then be pushed, and the slot has no request any more.
 * Context: locked
 * Syscalls: none
 */
void block_request_answer(struct block_request *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What requests do to the disk; private to block*.c
 *
 * A request is carried out in steps, each at most one system call on the backing file or device.
 */
#ifndef VMRUN_DEVICES_BLOCK_BLOCK_DISK_H
#define VMRUN_DEVICES_BLOCK_BLOCK_DISK_H

#include <linux/virtio_blk.h>

#include "devices/core/device.h"

#define BLOCK_SECTOR 512ULL

/* How much of a disk's bandwidth one wake-up takes, about, before the front-end has its turn */
#define BLOCK_WORK_BYTES (16U << 20)

/* Discard and write zeroes: ranges of one request, and sectors of one range */
#define BLOCK_RANGES_MAX	  16U
#define BLOCK_DISCARD_SECTORS_MAX (1U << 21)  /* 1 GiB */
#define BLOCK_ZERO_SECTORS_MAX	  (64U << 11) /* 64 MiB: they may have to be written */

#define BLOCK_MORE	0xff /* beside VIRTIO_BLK_S_*: the request is not over yet */
#define BLOCK_T_UNKNOWN 2    /* a request type that no version of virtio-blk has */

/**
 * struct block_request - The request that a queue works on
 * @kind:	NULL between two requests
 * @off, @bytes: The rest of the range at hand; checked
 * @ask_host:	Write zeroes: the host has not refused to do it
 * @status:	The answer, or BLOCK_MORE
 */
struct block_request {
	const struct block_kind *kind;
	uint64_t off, bytes;
	bool ask_host;
	uint8_t status;
	struct vq_chain chain;
};

/**
 * struct block - State of one disk
 * @is_device:	The backing is a block device
 * @write_through: The driver has no flush: a write is answered only when it is on the disk
 * @unit:	What the host drops or zeroes begins and ends at a multiple of so many bytes
 * @id:		What VIRTIO_BLK_T_GET_ID answers, padded with zeros
 * @config:	Configuration space; sectors are checked against its capacity
 * @work:	Bytes that this wake-up has moved, or their equivalent
 * @request:	By queue
 */
struct block {
	bool is_device, read_only, write_through;
	uint64_t unit;
	uint8_t id[VIRTIO_BLK_ID_BYTES];
	struct virtio_blk_config config;
	uint64_t work;
	struct block_request request[BOOT_QUEUES_MAX];
};

/**
 * struct block_kind - A kind of request
 * @begin:	Check it, without work; NULL if there is nothing to check. Status byte or BLOCK_MORE
 * @step:	Carry out a piece of it, by at most one system call; likewise
 * @changes:	Refused on a read-only disk
 * @dir:	Read and write: whose bytes say how many
 * @sectors_max, @flags: Discard and write zeroes: what a range may be
 */
struct block_kind {
	uint8_t (*begin)(struct block *b, struct block_request *r, uint64_t sector);
	uint8_t (*step)(struct block *b, struct block_request *r);
	bool changes;
	enum vq_dir dir;
	uint32_t sectors_max, flags;
};

/* The kinds of requests, by type; all others, such as BLOCK_T_UNKNOWN, get VIRTIO_BLK_S_UNSUPP */
#define BLOCK_KINDS (VIRTIO_BLK_T_WRITE_ZEROES + 1)
extern const struct block_kind block_kinds[BLOCK_KINDS];

/** block_zeros - A page of them */
extern const uint8_t block_zeros[4096];

/** block_room() - Room in the answer for data: all but the status byte at its end */
uint64_t block_room(const struct block_request *r);

static inline uint64_t block_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The seam between requests and formats of images
 *
 * A request of the driver falls into pieces (block_request.h). A format carries pieces out: it finds where
 * in its files a piece of the disk lies, and makes the system calls. It sees neither rings nor headers, and
 * the numbers it gets have been checked against the disk's size.
 */
#ifndef VMRUN_DEVICES_BLOCK_BLOCK_BACKING_H
#define VMRUN_DEVICES_BLOCK_BLOCK_BACKING_H

#include <sys/uio.h>

#include "devices/core/boot.h"
#include "devices/core/err.h"
#include "devices/core/settings.h"

#define BLOCK_SECTOR 512ULL

/* Parts of guest memory in one piece: a request of 126 buffers, some across the borders of regions */
#define BLOCK_IOVS 136U

/* The most that one piece reads, writes or zeroes. A piece to discard may be any size */
#define BLOCK_PIECE_BYTES (16U << 20)

/**
 * enum block_op - What is done with a piece of the disk
 * @BLOCK_READ, @BLOCK_WRITE: Moves it to or from block_io->iov
 * @BLOCK_FLUSH: All that was written before is durable
 * @BLOCK_DISCARD: A hint: the bytes may read as anything afterwards
 * @BLOCK_ZERO:	The bytes read as zeros afterwards
 * @BLOCK_BLANK: Fills block_io->iov with zeros; no format sees it
 */
enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,
	BLOCK_DISCARD,
	BLOCK_ZERO,
	BLOCK_BLANK,
};

/**
 * struct block_io - One piece
 * @may_free:	BLOCK_ZERO: the space may be given back to the host
 * @durable:	A flush follows it before it is done: the driver has none of its own
 * @off, @bytes: Which piece of the disk; whole sectors of 512 bytes
 * @iov, @nr_iov: @bytes of guest memory; the format may change them
 * @rc, @took_ns: 0 or -errno, and the time it took, when it is done
 */
struct block_io {
	enum block_op op;
	bool may_free, durable;
	uint64_t off, bytes;
	unsigned int nr_iov;
	struct iovec iov[BLOCK_IOVS];
	int rc;
	uint64_t took_ns;
};

/**
 * struct block_backing - A disk's image, or chain of images
 * @format:	How to read and write it
 * @is_device:	The fd is a block device
 * @read_only:	No piece changes it
 * @capacity:	Bytes of the disk
 * @unit:	What the host drops or zeroes begins and ends at a multiple of so many bytes
 * @direct_mem, @direct_off: As in the settings; a format that knows no O_DIRECT refuses them
 * @state:	The format's own, from its init
 */
struct block_backing {
	const struct block_format *format;
	bool is_device, read_only;
	uint64_t capacity;
	uint64_t unit;
	uint32_t direct_mem, direct_off;
	void *state;
};

/**
 * struct block_format - How a disk lies in its files
 * @name:	For messages
 * @threads:	How many pieces it carries out at the same time, each in a thread of its own. 1: one after the
 *		other, so it needs no locks
 * @init:	Take over the resources. Before lockdown: may allocate. The other members of the backing
 *		are set; it may correct the capacity and unit
 * @done:	Undo that, also after a failure. A jailed program does not call it
 * @carry_out:	Do all of a piece, however many system calls that takes, and wait for them: 0, or -errno when
 *		any of it failed. A discard that the host cannot do is no failure. Called by the threads,
 *		and by the loop while they have nothing
 * @at_once:	Do all of a piece if that needs no waiting, io->rc being set; false: nothing is said about what
 *		was done, and carry_out does it. Called by the loop, beside the threads. NULL: never
 * @finish:	The device ends. NULL: that makes no difference
 */
struct block_format {
	const char *name;
	unsigned int threads;
	int (*init)(struct block_backing *g, const struct boot_dev *rec, struct err *err);
	void (*done)(struct block_backing *g);
	int (*carry_out)(struct block_backing *g, struct block_io *io);
	bool (*at_once)(struct block_backing *g, struct block_io *io);
	void (*finish)(struct block_backing *g);
};

/** block_raw - The disk's bytes are the file's or device's bytes */
extern const struct block_format block_raw;

/** block_qcow2 - Resource 0 is a qcow2 image, the others are its chain of backing files (qcow2.h) */
extern const struct block_format block_qcow2;

static inline uint64_t block_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif

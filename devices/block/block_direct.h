/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Transfers around the page cache (O_DIRECT), whatever the driver's buffers and offsets are
 *
 * Such a transfer begins and ends at multiples of a unit, in memory and on the disk. A driver that follows blk_size asks
 * for nothing else, and its bytes go straight to the disk. All others go through a buffer that was allocated before
 * lockdown, one after the other: of a write that covers a unit in part, the rest is read first. Two writes of a driver
 * that share a unit do not spoil each other, unless one of them covers it whole at the same time as the other.
 */
#ifndef VMRUN_DEVICES_BLOCK_BLOCK_DIRECT_H
#define VMRUN_DEVICES_BLOCK_BLOCK_DIRECT_H

#include <sys/uio.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * struct block_direct - A file or device that is open with O_DIRECT; zeroed: none is
 * @mem, @off:	Units in memory and on the disk, powers of two
 * @buf:	Memory for what does not fit them
 * @turn:	A pipe with one byte in it; its reader has the buffer
 */
struct block_direct {
	int fd;
	uint32_t mem, off;
	uint8_t *buf;
	int turn[2];
};

/**
 * block_direct_init() - Allocate what transfers on @fd need
 * @fd:		Borrowed for the life of @d; its size is a multiple of @off
 * @mem, @off:	Checked
 *
 * Context: setup
 * Syscalls: pipe2 mmap write
 * Return: 0 or -errno
 */
MUST_CHECK int block_direct_init(struct block_direct *d, int fd, uint32_t mem, uint32_t off,
				 struct err *err);

/** block_direct_done() - Free that; safe on a zeroed struct.  Syscalls: close */
void block_direct_done(struct block_direct *d);

/**
 * block_direct_move() - As block_fd_move()
 *
 * Context: locked, any thread
 * Syscalls: preadv pwritev read write
 * Return: 0 or -errno
 */
MUST_CHECK int block_direct_move(const struct block_direct *d, bool write, struct iovec *iov,
				 unsigned int nr, uint64_t off);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A read or write that is worked through from its front, piece by piece
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_WALK_H
#define VMRUN_DEVICES_BLOCK_QCOW2_WALK_H

#include <sys/uio.h>

#include "devices/block/qcow2_image.h"

#define QCOW2_IOVS 144U /* of one system call */

/**
 * struct qcow2_cursor - Memory that is used up from the front
 * @iov:	Changed by each step
 * @keep:	Its thread has the lock already and keeps it, also while bytes move
 */
struct qcow2_cursor {
	struct iovec *iov;
	unsigned int nr;
	bool keep;
};

/**
 * qcow2_cut() - Take the next @bytes of memory off a cursor
 * @ret:	Room for @max
 * @ret_nr:	How many are filled in
 *
 * Return: how many bytes they are; fewer than @bytes when @ret is full
 */
size_t qcow2_cut(struct qcow2_cursor *c, uint64_t bytes, struct iovec *ret, unsigned int max,
		 unsigned int *ret_nr);

/**
 * qcow2_walk() - Have all of a cursor's memory moved, with the lock
 * @off:	Of the disk
 * @piece:	Moves a first part of *@bytes bytes at @off, takes it off the cursor, and makes *@bytes its size;
 *		0 or -errno, which ends the walk
 *
 * Context: locked
 * Syscalls: preadv pwritev read write
 * Return: 0 or what @piece returned
 */
MUST_CHECK int qcow2_walk(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off,
			  int (*piece)(struct qcow2 *q, struct qcow2_cursor *c, uint64_t off,
				       uint64_t *bytes));

#endif

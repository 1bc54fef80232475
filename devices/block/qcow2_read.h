/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Reads through a chain of images
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_READ_H
#define VMRUN_DEVICES_BLOCK_QCOW2_READ_H

#include <sys/uio.h>

#include "devices/block/qcow2_image.h"

/**
 * qcow2_read() - Read from the disk; other threads may be in it
 * @iov:	Overwritten; what it describes is filled
 * @off:	Anywhere: behind the end of the disk are zeros
 *
 * Context: locked
 * Syscalls: preadv read write
 * Return: 0; -EIO for a broken image, or another -errno
 */
MUST_CHECK int qcow2_read(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off);

/** qcow2_read_alone() - As qcow2_read(), for a thread that has the lock and keeps it */
MUST_CHECK int qcow2_read_alone(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off);

/**
 * qcow2_read_cached() - Read from the disk if that needs no waiting, for any other thread either
 * @iov, @bytes: As they were, when the answer is false
 *
 * Context: locked
 * Syscalls: preadv2 write
 * Return: whether all of it was read
 */
MUST_CHECK bool qcow2_read_cached(struct qcow2 *q, const struct iovec *iov, unsigned int nr,
				  uint64_t off, uint64_t bytes);

/** qcow2_reads_zero() - Whether an absent cluster at byte @off of the disk reads as zeros, as nothing is below it */
bool qcow2_reads_zero(const struct qcow2 *q, uint64_t off);

#endif

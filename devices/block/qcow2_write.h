/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Writes to image [0]
 *
 * A cluster that the image does not have yet, or has compressed, or reads as zeros, is written to a free
 * place: the refcount first, then the whole cluster, old bytes around the new ones included, then the entry of
 * the L2 table, which makes it the guest's. Then what was there before is given back. So at any moment the
 * file is whole: the most that is left by a process that is killed is a cluster that is counted and not used.
 * A write is in the file when it is answered, a flush makes the file durable.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_WRITE_H
#define VMRUN_DEVICES_BLOCK_QCOW2_WRITE_H

#include <sys/uio.h>

#include "devices/block/qcow2_image.h"

/**
 * qcow2_write() - Write to the disk; other threads may be in it
 * @iov:	Overwritten
 * @off:	All of it is inside the disk
 *
 * Context: locked
 * Syscalls: preadv pwritev fdatasync fallocate read write
 * Return: 0; -EIO for a broken image, -ENOSPC or another -errno; then a part may be written
 */
MUST_CHECK int qcow2_write(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off);

/** qcow2_write_alone() - As qcow2_write(), for a thread that has the lock and keeps it */
MUST_CHECK int qcow2_write_alone(struct qcow2 *q, struct iovec *iov, unsigned int nr, uint64_t off);

#endif

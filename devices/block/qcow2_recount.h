/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: An image that was not closed: its clusters are counted before it is used
 *
 * From the first refcount that changes until qcow2_close() the head of a version 3 image has the bit that QEMU calls
 * dirty. If the host's power fails in between, refcounts and the end of the file may be older than the tables. An
 * image with this bit that vmrun writes to is mended before its first request; QEMU does the same when it opens one.
 * A process that is killed leaves the bit, too, although all refcounts are right.
 *
 * Images of version 2 and with lazy refcounts are not marked: the former have no such bit, and the latter are QEMU's.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_RECOUNT_H
#define VMRUN_DEVICES_BLOCK_QCOW2_RECOUNT_H

#include "devices/block/qcow2_image.h"

/** qcow2_uncounted() - Whether qcow2_recount() has work to do */
static inline bool qcow2_uncounted(const struct qcow2 *q)
{
	return q->writable && q->image[0].dirty;
}

/**
 * qcow2_recount() - Mend image [0] if it was not closed; it has the lock
 *
 * Each cluster that a table refers to has a refcount and lies in the file then. A broken table or entry is reported and
 * left as it is.
 * Context: locked
 * Syscalls: preadv pwritev write
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_recount(struct qcow2 *q);

/**
 * qcow2_close() - Have the head say that the image is whole; only one thread is left
 *
 * If that fails, it is counted once more at its next use.
 * Context: locked
 * Syscalls: pwritev fdatasync write
 */
void qcow2_close(struct qcow2 *q);

#endif

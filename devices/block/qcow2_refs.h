/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Refcounts of image [0], and which of its clusters are free
 *
 * A cluster's refcount is written before anything refers to it, and is taken back after nothing refers to it any more.
 * So a process that is killed leaves at most clusters that are counted and not used, never the reverse. A failure of
 * the host's power may lose a refcount: the head says so before the first one changes, and qcow2_raise() mends it.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_REFS_H
#define VMRUN_DEVICES_BLOCK_QCOW2_REFS_H

#include "devices/block/qcow2_image.h"

/**
 * qcow2_take() - Take free clusters, their refcounts written
 * @want:	How many, at least 1
 * @ret_off:	Offset of the first one
 * @ret_nr:	How many there are at that place, 1 to @want
 *
 * Reads a bounded number of refcounts: if none of these is free, it looks behind the end of the file. Makes new
 * refcount blocks, and a larger table for them, where they are lacking.
 * Context: locked
 * Syscalls: preadv pwritev fdatasync
 * Return: 0; -ENOSPC when the format or the disk has no room, -EIO for broken metadata, or another -errno
 */
MUST_CHECK int qcow2_take(struct qcow2 *q, uint64_t want, uint64_t *ret_off, uint64_t *ret_nr);

/**
 * qcow2_give() - Take back one reference to each of @nr clusters from offset @off on
 * @off:	Nothing refers to them any more, not on the disk either
 * @punch:	Those that become free give their space back to the file system
 *
 * Failures are not the guest's: the clusters stay counted and are lost to the image.
 * Context: locked
 * Syscalls: preadv pwritev fdatasync fallocate
 */
void qcow2_give(struct qcow2 *q, uint64_t off, uint64_t nr, bool punch);

/**
 * qcow2_raise() - Count a cluster that is in use, if it is not counted
 * @off:	Of the cluster
 *
 * Context: locked
 * Syscalls: preadv pwritev write
 * Return: 0; -EIO for broken metadata, or another -errno
 */
MUST_CHECK int qcow2_raise(struct qcow2 *q, uint64_t off);

#endif

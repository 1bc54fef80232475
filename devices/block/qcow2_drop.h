/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Clusters of image [0] that lose their contents
 *
 * The entry is changed first, then the cluster is given back. A cluster that the backing file has gets an
 * entry that reads as zeros, or the guest would see again what it overwrote once. Version 2 has no such
 * entry: there a discard does nothing, and zeros are written.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_DROP_H
#define VMRUN_DEVICES_BLOCK_QCOW2_DROP_H

#include "devices/block/qcow2_image.h"

/**
 * enum qcow2_drop - How a range loses its contents
 * @QCOW2_DISCARD: It may read as anything; partial clusters stay as they are
 * @QCOW2_ZERO_KEEP: It reads as zeros and keeps its clusters
 * @QCOW2_ZERO_FREE: It reads as zeros and gives its clusters back
 */
enum qcow2_drop { QCOW2_DISCARD, QCOW2_ZERO_KEEP, QCOW2_ZERO_FREE };

/**
 * qcow2_drop() - Discard or zero a range of the disk; other threads may be in it
 * @off, @bytes: Inside the disk
 *
 * Context: locked
 * Syscalls: preadv pwritev fdatasync fallocate read write
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_drop(struct qcow2 *q, uint64_t off, uint64_t bytes, enum qcow2_drop how);

#endif

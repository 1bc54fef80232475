/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where the clusters of an image are: its L1 and L2 tables
 *
 * A table of image [0] is written to only if it is the image's alone (refcount 1, which its entry says too). An entry
 * is written when all that it refers to is in the file.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_MAP_H
#define VMRUN_DEVICES_BLOCK_QCOW2_MAP_H

#include "devices/block/qcow2_image.h"

/* Bits of an L2 entry */
#define QCOW2_COPIED (1ULL << 63) /* the cluster is this entry's alone */
#define QCOW2_PACKED (1ULL << 62) /* compressed */
#define QCOW2_ZERO   (1ULL << 0)  /* reads as zeros; version 3 */

enum qcow2_kind {
	QCOW2_IS_ABSENT, /* the backing file has it */
	QCOW2_IS_ZERO,
	QCOW2_IS_DATA,
	QCOW2_IS_PACKED,
};

/**
 * struct qcow2_place - Where some neighbouring clusters are
 * @host:	Data: the offset in the file. Zero: a cluster that belongs to it nevertheless, or 0
 * @entry:	Of the first one, as it is in the table
 * @bytes:	From the offset that was asked for to the end of the last cluster of the same kind; data
 *		that is in one piece in the file, one compressed cluster, one zero cluster with a @host
 */
struct qcow2_place {
	enum qcow2_kind kind;
	uint64_t host, entry, bytes;
};

/**
 * qcow2_table() - The L2 table for byte @off of an image's disk
 * @ret:	0 when there is none; untouched on failure
 *
 * Context: locked
 * Syscalls: preadv write
 * Return: 0; -EIO for a broken L1 entry, or another -errno
 */
MUST_CHECK int qcow2_table(struct qcow2 *q, unsigned int image, uint64_t off, uint64_t *ret);

/**
 * qcow2_find() - Where an image has the clusters from byte @off of its disk on
 * @off:	Below image->bytes; the image is not raw
 * @bytes:	More than 0; no need to look further
 * @ret:	@bytes may reach further. Untouched on failure
 *
 * Context: locked
 * Syscalls: preadv
 * Return: 0; -EIO for a broken table, or another -errno
 */
MUST_CHECK int qcow2_find(struct qcow2 *q, unsigned int image, uint64_t off, uint64_t bytes,
			  struct qcow2_place *ret);

/**
 * qcow2_decode() - What an entry of an L2 table says
 * @ret:	Without @bytes; untouched on failure
 *
 * Context: locked
 * Syscalls: write
 * Return: 0, or -EIO for a broken entry
 */
MUST_CHECK int qcow2_decode(struct qcow2 *q, unsigned int image, uint64_t entry,
			    struct qcow2_place *ret);

/** qcow2_packed_end() - Where the sectors of compressed cluster @entry end, and *@ret_off: where they begin */
uint64_t qcow2_packed_end(const struct qcow2_image *m, uint64_t entry, uint64_t *ret_off);

/**
 * qcow2_give_place() - Give back the clusters that an entry of image [0] referred to, and does not any more
 * @p:		Of one cluster; the entry's change is durable
 *
 * Context: locked
 * Syscalls: preadv pwritev fdatasync fallocate
 */
void qcow2_give_place(struct qcow2 *q, const struct qcow2_place *p);

/**
 * qcow2_need_table() - Make sure that image [0] has a table of its own for byte @off of its disk
 *
 * Context: locked
 * Syscalls: preadv pwritev fdatasync
 * Return: 0; -EIO for a broken table, -ENOSPC or another -errno
 */
MUST_CHECK int qcow2_need_table(struct qcow2 *q, uint64_t off);

/**
 * qcow2_entries() - The entries of image [0] for the clusters from byte @off on
 * @off:	qcow2_need_table() has been called for it
 * @ret:	Up to QCOW2_PAGE_WORDS
 * @nr:	How many are wanted
 *
 * Context: locked
 * Syscalls: preadv
 * Return: how many there are, at least 1, within one page of the table; or -errno
 */
MUST_CHECK int qcow2_entries(struct qcow2 *q, uint64_t off, uint64_t *ret, uint64_t nr);

/**
 * qcow2_set_entries() - Replace entries of image [0]
 * @nr:		At most as many as qcow2_entries() gave
 *
 * Context: locked
 * Syscalls: preadv pwritev
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_set_entries(struct qcow2 *q, uint64_t off, const uint64_t *entry, uint64_t nr);

#endif

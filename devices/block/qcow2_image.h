/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A chain of images; private to qcow2*.c
 *
 * A disk is split into clusters. The L1 table has an entry for each L2 table, and that has an entry for each
 * cluster: where in the file the cluster is. An absent cluster is the backing file's, image [i + 1] of the
 * chain; behind the last one, and behind the end of a shorter one, are zeros. Each cluster of the file has a
 * refcount; as vmrun writes to no image with snapshots, it is 1 for a cluster in use and 0 for a free one,
 * but compressed clusters share theirs.
 *
 * Every number of an image is hostile: it is checked before it becomes an offset. Nothing is ever written to
 * the head of the file, nor to its two tables except by qcow2_write_table(): the guest's data, a table of
 * the second level or a refcount block at such a place ends in an I/O error (qcow2_guarded()).
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_IMAGE_H
#define VMRUN_DEVICES_BLOCK_QCOW2_IMAGE_H

#include "devices/core/base.h"
#include "devices/core/boot.h"
#include "devices/core/log.h"
#include "devices/core/qcow2_head.h"

#define QCOW2_PAGE	 4096U /* what the cache of metadata holds and reads at once */
#define QCOW2_PAGE_WORDS (QCOW2_PAGE / 8)
#define QCOW2_PAGES	 1024U
#define QCOW2_OFF_MAX	 (1ULL << 56) /* offsets of clusters are smaller */

/**
 * struct qcow2_image - One file of the chain
 * @raw:	It has no structure: all members below @file_bytes are 0
 * @bytes:	Of the disk that it holds
 * @file_bytes:	Size of the file, as far as we know
 * @refs_entries: Of the table of refcount blocks
 * @dirty:	It was not closed after its last use: refcounts may be too low, clusters may lie behind the end of
 *		the file
 */
struct qcow2_image {
	int fd;
	bool raw;
	uint64_t bytes, file_bytes;
	uint32_t version, cluster_bits, refcount_order;
	uint64_t l1_off, l1_entries;
	uint64_t refs_off, refs_entries;
	bool dirty;
};

/**
 * struct qcow2_page - A page of metadata
 * @tag:	Its number in the file, plus 1; 0: the page is empty
 */
struct qcow2_page {
	uint64_t tag;
	uint32_t image;
	uint8_t byte[QCOW2_PAGE];
};

/**
 * struct qcow2 - A disk
 * @image:	[0] is the one that is written to
 * @markable:	The head of image [0] can say that it is dirty
 * @marked:	It does
 * @free_hint:	No cluster of image [0] below this one is free, as far as we know
 * @page:	QCOW2_PAGES of them
 * @no_wait:	Pages that are not there are not read
 * @fill:	Room for what surrounds a write: two clusters
 * @packed:	Room for a compressed cluster: two clusters
 * @unpacked:	The cluster unpacked last, of image @unpacked_image with entry @unpacked_entry (0: none)
 * @users:	Threads that have the lock or wait for it, which they do at the pipe @turn
 * @moves:	Threads that move bytes without the lock
 * @stills:	Threads that need all moves to be over; those that wait for it, @sleepers, do at the pipe @still
 * @bad_limit:	Budget of log lines about broken metadata
 */
struct qcow2 {
	struct qcow2_image image[BOOT_RES_MAX];
	unsigned int nr_images;
	bool writable, markable, marked;
	uint64_t free_hint;
	struct qcow2_page *page;
	bool no_wait;
	uint8_t *fill, *packed, *unpacked;
	uint64_t unpacked_entry;
	unsigned int unpacked_image;
	unsigned int users, moves, stills, sleepers;
	int turn[2], still[2];
	struct log_limit bad_limit;
};

static inline uint64_t qcow2_cluster(const struct qcow2_image *m)
{
	return 1ULL << m->cluster_bits;
}

static inline uint64_t qcow2_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/** qcow2_end() - The size of the file, rounded up to whole clusters */
static inline uint64_t qcow2_end(const struct qcow2_image *m)
{
	return (m->file_bytes + qcow2_cluster(m) - 1) & ~(qcow2_cluster(m) - 1);
}

#endif

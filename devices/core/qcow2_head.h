/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The head of a qcow2 image: its first bytes, checked
 *
 * qcow2 versions 2 and 3. Everything is big-endian. The head says where the first-level table (L1) and the
 * table of refcount blocks are, and which other image, the backing file, has the clusters that this one
 * lacks. The runtime reads it to find and open the chain of backing files; the jailed device reads it again,
 * and all the rest of the image.
 *
 * What vmrun does not support is refused here, by name. A guest may have written the file.
 */
#ifndef VMRUN_DEVICES_CORE_QCOW2_HEAD_H
#define VMRUN_DEVICES_CORE_QCOW2_HEAD_H

#include "devices/core/base.h"
#include "devices/core/err.h"

#define QCOW2_HEAD_BYTES     4096 /* what is looked at; all of it is in the first cluster */
#define QCOW2_CLUSTER_MIN    9	  /* bits */
#define QCOW2_CLUSTER_MAX    21
#define QCOW2_L1_BYTES_MAX   (32U << 20)
#define QCOW2_REFS_BYTES_MAX (8U << 20)
#define QCOW2_NAME_BYTES     1024 /* with a terminator */

/* Where a file holds what is written there again when the table of refcount blocks moves */
#define QCOW2_AT_REFS 48 /* uint64_t offset, uint32_t clusters */

/* Version 3: where incompatible features are, and the one that says: refcounts may be wrong */
#define QCOW2_AT_INCOMPATIBLE 72 /* uint64_t */
#define QCOW2_F_DIRTY	      (1ULL << 0)

/**
 * struct qcow2_head - A head that was accepted
 * @version:	2 or 3
 * @cluster_bits: QCOW2_CLUSTER_MIN to QCOW2_CLUSTER_MAX
 * @refcount_order: A refcount has 1 << this bits; 0 to 6
 * @bytes:	Of the guest's disk: a multiple of 512, not 0
 * @l1_off, @l1_entries: The first-level table, inside the file, large enough for @bytes
 * @refs_off, @refs_clusters: The table of refcount blocks, inside the file
 * @lazy:	Its refcounts may be written late, which QEMU does
 * @dirty:	It was not closed after its last use
 * @why_readonly: Why nothing may write to it, or NULL
 * @backing:	Name of the backing file; "" without one
 * @backing_format: What the image says about that file; "" if nothing
 */
struct qcow2_head {
	uint32_t version, cluster_bits, refcount_order;
	uint64_t bytes;
	uint64_t l1_off;
	uint32_t l1_entries;
	uint64_t refs_off;
	uint32_t refs_clusters;
	bool lazy, dirty;
	const char *why_readonly;
	char backing[QCOW2_NAME_BYTES];
	char backing_format[16];
};

/** qcow2_be64() - The number in 8 bytes at @p, which may be unaligned */
static inline uint64_t qcow2_be64(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

/** qcow2_put_be64() - And back */
static inline void qcow2_put_be64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

/**
 * qcow2_head_parse() - Check the first bytes of an image
 * @buf:	The file's first bytes
 * @bytes:	How many: QCOW2_HEAD_BYTES, or the whole file if it is shorter
 * @file_bytes:	Size of the file
 * @ret:	Untouched on failure
 *
 * Context: any
 * Syscalls: none
 * Return: 0, or -EINVAL with an @err that names what is wrong or not supported, without the file's name
 */
MUST_CHECK int qcow2_head_parse(const uint8_t *buf, size_t bytes, uint64_t file_bytes,
				struct qcow2_head *ret, struct err *err);

#endif

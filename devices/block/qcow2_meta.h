/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The metadata of images: a cache of pages that never holds anything the file lacks
 *
 * All reads and writes of tables and refcounts go through here. A write goes to the file first and then to
 * the cache, so a process that is killed leaves what its writes had done, in their order.
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_META_H
#define VMRUN_DEVICES_BLOCK_QCOW2_META_H

#include <sys/uio.h>

#include "devices/block/qcow2_image.h"

/**
 * qcow2_bad() - Report broken metadata of an image in a rate-limited line
 * @what:	Such as "L2 entry"
 * @value:	Its number
 *
 * Context: locked
 * Syscalls: write
 * Return: -EIO
 */
int qcow2_bad(struct qcow2 *q, unsigned int image, const char *what, uint64_t value);

/**
 * qcow2_guarded() - Whether a range of image [0] touches what only qcow2_write_table() may write
 * @off, @bytes: Their sum does not wrap
 */
bool qcow2_guarded(const struct qcow2 *q, uint64_t off, uint64_t bytes);

/**
 * qcow2_page_at() - The page of metadata that holds byte @off of an image
 * @off:	Below QCOW2_OFF_MAX
 * @ret:	Valid until the next call of any function here; what lies behind the file's end is zero
 *
 * Context: locked
 * Syscalls: preadv
 * Return: 0 or -errno; -EAGAIN where q->no_wait keeps it from reading
 */
MUST_CHECK int qcow2_page_at(struct qcow2 *q, unsigned int image, uint64_t off,
			     const uint8_t **ret);

/**
 * qcow2_word() - The big-endian number of 8 bytes at @off, a multiple of 8
 *
 * Context: locked
 * Syscalls: preadv
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_word(struct qcow2 *q, unsigned int image, uint64_t off, uint64_t *ret);

/**
 * qcow2_pread() - Read from a file; zeros behind its end
 * @iov:	Overwritten
 * @end:	Where the file ends at least
 *
 * The lock is not needed.
 * Context: locked
 * Syscalls: preadv
 * Return: 0 or -errno; -EIO for a file that ends before @end
 */
MUST_CHECK int qcow2_pread(int fd, struct iovec *iov, unsigned int nr, uint64_t off, uint64_t end);

/**
 * qcow2_pwrite() - Write to a file, all of it, whatever is there
 * @iov:	Overwritten
 * @off:	Where in the file; then where what was written ends, also after a failure; for qcow2_grown()
 *
 * The lock is not needed.
 * Context: locked
 * Syscalls: pwritev
 * Return: 0 or -errno; then a part may be written
 */
MUST_CHECK int qcow2_pwrite(int fd, struct iovec *iov, int nr, uint64_t *off);

/** qcow2_grown() - Take note that something was written to image [0] that ends at @off */
void qcow2_grown(struct qcow2 *q, uint64_t off);

/**
 * qcow2_write_meta() - Write metadata outside the guarded tables
 * @off, @bytes: Within one page
 *
 * Context: locked
 * Syscalls: pwritev
 * Return: 0; -EIO for a guarded range, or -errno
 */
MUST_CHECK int qcow2_write_meta(struct qcow2 *q, uint64_t off, const void *buf, size_t bytes);

/** qcow2_write_table() - As qcow2_write_meta(), to an entry of the L1 or the refcount table */
MUST_CHECK int qcow2_write_table(struct qcow2 *q, uint64_t off, uint64_t value);

/**
 * qcow2_move_refs() - Use another table of refcount blocks, which is complete
 * @off:	Of its first cluster
 *
 * Context: locked
 * Syscalls: pwritev
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_move_refs(struct qcow2 *q, uint64_t off, uint32_t clusters);

/**
 * qcow2_barrier() - Make durable what was written to image [0], before anything that follows
 *
 * Context: locked
 * Syscalls: fdatasync
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_barrier(const struct qcow2 *q);

/**
 * qcow2_mark() - Have the head of image [0] say whether its refcounts can be relied on
 * @dirty:	They cannot, if the host's power fails from now on. False: they can, and all else is durable
 *
 * Does nothing where it says so already, or has no place for it.
 * Context: locked
 * Syscalls: pwritev fdatasync
 * Return: 0 or -errno
 */
MUST_CHECK int qcow2_mark(struct qcow2 *q, bool dirty);

/**
 * qcow2_clear_meta() - Make a range of whole clusters metadata that is all zeros
 *
 * Context: locked
 * Syscalls: pwritev
 * Return: 0; -EIO for a guarded range, or -errno
 */
MUST_CHECK int qcow2_clear_meta(struct qcow2 *q, uint64_t off, uint64_t bytes);

#endif

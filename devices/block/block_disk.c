/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/block_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define BLOCK_FD   BOOT_FD_RES /* the backing file or device */
#define BLOCK_IOVS 64	       /* pieces of guest memory moved by one system call */

const uint8_t block_zeros[4096];

/* Sets the range that a request is about; both numbers come from the guest */
static bool block_set_range(const struct block *b, struct block_request *r, uint64_t sector,
			    uint64_t count)
{
	if (count > b->config.capacity || sector > b->config.capacity - count)
		return false;
	r->off = sector * BLOCK_SECTOR;
	r->bytes = count * BLOCK_SECTOR;
	return true;
}

/* Accounts for @n bytes of the range, done by a system call; also for a call that failed, @n < 0 */
static uint8_t block_advance(struct block *b, struct block_request *r, ssize_t n)
{
	if (n < 0 && errno == EINTR)
		return BLOCK_MORE;
	if (n <= 0) /* 0: the image was made smaller */
		return VIRTIO_BLK_S_IOERR;
	r->off += (uint64_t)n;
	r->bytes -= (uint64_t)n;
	b->work += (uint64_t)n;
	return BLOCK_MORE;
}

uint64_t block_room(const struct block_request *r)
{
	return vq_left(&r->chain, VQ_WRITABLE) - 1;
}

/* ---- reads, writes, and what moves no data ---- */

static uint8_t block_rw_begin(struct block *b, struct block_request *r, uint64_t sector)
{
	uint64_t bytes = r->kind->dir == VQ_WRITABLE ? block_room(r)
						     : vq_left(&r->chain, VQ_READABLE);

	if (bytes % BLOCK_SECTOR != 0 || !block_set_range(b, r, sector, bytes / BLOCK_SECTOR))
		return VIRTIO_BLK_S_IOERR;
	return BLOCK_MORE;
}

/**
 * block_rw() - Move data between the disk and the guest's buffers
 *
 * Short transfers are continued: a signal or a full page cache is no disk error.
 * Context: locked
 * Syscalls: preadv pwritev
 * Return: status byte for the guest, or BLOCK_MORE
 */
static uint8_t block_rw(struct block *b, struct block_request *r)
{
	const enum vq_dir dir = r->kind->dir;
	struct iovec iov[BLOCK_IOVS];
	int nr = (int)vq_iov(&r->chain, dir, block_min(r->bytes, BLOCK_WORK_BYTES), iov,
			     BLOCK_IOVS);
	ssize_t n;

	if (nr == 0)
		return VIRTIO_BLK_S_OK;
	n = dir == VQ_WRITABLE ? preadv(BLOCK_FD, iov, nr, (off_t)r->off)
			       : pwritev(BLOCK_FD, iov, nr, (off_t)r->off);
	if (n > 0)
		vq_skip(&r->chain, dir, (uint64_t)n);
	return block_advance(b, r, n);
}

/* Syscalls: fdatasync */
static uint8_t block_flush(struct block *b, struct block_request *r UNUSED)
{
	b->work += BLOCK_WORK_BYTES; /* it can take long, however small */
	return b->read_only || fdatasync(BLOCK_FD) == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

static uint8_t block_get_id(struct block *b, struct block_request *r)
{
	vq_write(&r->chain, b->id, (size_t)block_min(block_room(r), sizeof(b->id)));
	return VIRTIO_BLK_S_OK;
}

/* ---- discard and write zeroes ---- */

static uint8_t block_ranges_begin(struct block *b UNUSED, struct block_request *r,
				  uint64_t sector UNUSED)
{
	uint64_t bytes = vq_left(&r->chain, VQ_READABLE);
	uint64_t each = sizeof(struct virtio_blk_discard_write_zeroes);

	if (bytes == 0 || bytes % each != 0 || bytes / each > BLOCK_RANGES_MAX)
		return VIRTIO_BLK_S_IOERR;
	return BLOCK_MORE;
}

static uint8_t block_next_range(struct block *b, struct block_request *r)
{
	struct virtio_blk_discard_write_zeroes s;

	if (vq_read(&r->chain, &s, sizeof(s)) != sizeof(s))
		return VIRTIO_BLK_S_OK;
	if (s.flags & ~r->kind->flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (s.num_sectors > r->kind->sectors_max || !block_set_range(b, r, s.sector, s.num_sectors))
		return VIRTIO_BLK_S_IOERR;
	/* Zeroing a file frees its blocks: only where the driver allows that. */
	r->ask_host = b->is_device || (s.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	return BLOCK_MORE;
}

/* How many bytes of the range come before the part that the host can drop or zero; *ret_whole is its size */
static uint64_t block_edge(const struct block *b, const struct block_request *r,
			   uint64_t *ret_whole)
{
	uint64_t edge = block_min(-r->off & (b->unit - 1), r->bytes);

	*ret_whole = (r->bytes - edge) & ~(b->unit - 1);
	return edge;
}

/**
 * block_hole() - Have the file system or the device drop or zero the first @bytes of the range
 * @zero:	They must read as zeros; what a device dropped reads as anything
 *
 * A file is never asked to zero and keep the space (FALLOC_FL_ZERO_RANGE): that call could fill the
 * file system behind the image's end, where RLIMIT_FSIZE does not hold.
 * Context: locked
 * Syscalls: fallocate ioctl
 * Return: VIRTIO_BLK_S_IOERR or BLOCK_MORE; the bytes are then still to be done if the host cannot do
 * it with this disk or range
 */
static uint8_t block_hole(struct block *b, struct block_request *r, uint64_t bytes, bool zero)
{
	uint64_t range[2] = {r->off, bytes};
	int rc;

	b->work += BLOCK_WORK_BYTES; /* it can take long */
	do {
		rc = b->is_device ? ioctl(BLOCK_FD, zero ? BLKZEROOUT : BLKDISCARD, range)
				  : fallocate(BLOCK_FD, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
					      (off_t)r->off, (off_t)bytes);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS ||
				       errno == ENOTTY || errno == ENODEV
			       ? BLOCK_MORE
			       : VIRTIO_BLK_S_IOERR;
	r->off += bytes;
	r->bytes -= bytes;
	return BLOCK_MORE;
}

/* A hint: partial blocks stay, and so does the whole range if the host cannot discard */
static uint8_t block_discard(struct block *b, struct block_request *r)
{
	uint64_t whole;

	if (r->bytes == 0)
		return block_next_range(b, r);
	r->off += block_edge(b, r, &whole);
	if (whole > 0 && block_hole(b, r, whole, false) != BLOCK_MORE)
		return VIRTIO_BLK_S_IOERR;
	r->bytes = 0;
	return BLOCK_MORE;
}

/* Writes zeros at the beginning of the range.  Syscalls: pwritev */
static uint8_t block_write_zeros(struct block *b, struct block_request *r, uint64_t bytes)
{
	struct iovec iov[BLOCK_IOVS];
	int nr = 0;

	while (nr < BLOCK_IOVS && bytes > 0) {
		iov[nr].iov_base = (void *)(uintptr_t)block_zeros;
		iov[nr].iov_len = (size_t)block_min(bytes, sizeof(block_zeros));
		bytes -= iov[nr++].iov_len;
	}
	return block_advance(b, r, pwritev(BLOCK_FD, iov, nr, (off_t)r->off));
}

/* What the host does not zero, odd ends included, is written */
static uint8_t block_write_zeroes(struct block *b, struct block_request *r)
{
	uint64_t whole, edge;

	if (r->bytes == 0)
		return block_next_range(b, r);
	edge = block_edge(b, r, &whole);
	if (!r->ask_host || whole == 0)
		return block_write_zeros(b, r, r->bytes);
	if (edge > 0)
		return block_write_zeros(b, r, edge);
	r->ask_host = false;
	return block_hole(b, r, whole, true);
}

const struct block_kind block_kinds[BLOCK_KINDS] = {
	[VIRTIO_BLK_T_IN] = {block_rw_begin, block_rw, false, .dir = VQ_WRITABLE},
	[VIRTIO_BLK_T_OUT] = {block_rw_begin, block_rw, true, .dir = VQ_READABLE},
	[VIRTIO_BLK_T_FLUSH] = {NULL, block_flush, false},
	[VIRTIO_BLK_T_GET_ID] = {NULL, block_get_id, false},
	[VIRTIO_BLK_T_DISCARD] = {block_ranges_begin, block_discard, true,
				  .sectors_max = BLOCK_DISCARD_SECTORS_MAX},
	[VIRTIO_BLK_T_WRITE_ZEROES] = {block_ranges_begin, block_write_zeroes, true,
				       .sectors_max = BLOCK_ZERO_SECTORS_MAX,
				       .flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP},
};

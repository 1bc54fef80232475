/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Raw images and block devices
 */
#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "devices/block/block_backing.h"
#include "devices/block/block_fd.h"
#include "devices/core/kind.h"

#define BLOCK_RAW_FD BOOT_FD_RES

/* Context: setup */
static int block_raw_init(struct block_backing *g UNUSED, const struct boot_dev *rec,
			  struct err *err)
{
	if (rec->nr_res != 1)
		return err_text(err, EINVAL, "%s: %u resources, not 1", rec->name, rec->nr_res);
	return 0;
}

/* The part of a piece that the host can drop or zero; *ret_edge is how many bytes come before it */
static uint64_t block_raw_whole(const struct block_backing *g, const struct block_io *io,
				uint64_t *ret_edge)
{
	*ret_edge = block_min(-io->off & (g->unit - 1), io->bytes);
	return (io->bytes - *ret_edge) & ~(g->unit - 1);
}

/* Whether an error says that the host cannot do it with this disk or range, and did not try */
static bool block_raw_cannot(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EINVAL || rc == -ENOSYS || rc == -ENOTTY ||
	       rc == -ENODEV;
}

/**
 * block_raw_hole() - Have the file system or the device drop or zero a range
 * @zero:	It must read as zeros; what a device dropped reads as anything
 *
 * Context: locked
 * Syscalls: fallocate ioctl
 * Return: 0 or -errno
 */
static int block_raw_hole(const struct block_backing *g, uint64_t off, uint64_t bytes, bool zero)
{
	uint64_t range[2] = {off, bytes};
	int rc;

	if (!g->is_device)
		return block_fd_punch(BLOCK_RAW_FD, off, bytes);
	do
		rc = ioctl(BLOCK_RAW_FD, zero ? BLKZEROOUT : BLKDISCARD, range);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/* Partial blocks stay, and so does all of it if the host cannot discard */
static int block_raw_discard(const struct block_backing *g, const struct block_io *io)
{
	uint64_t edge, whole = block_raw_whole(g, io, &edge);
	int rc = whole > 0 ? block_raw_hole(g, io->off + edge, whole, false) : 0;

	return block_raw_cannot(rc) ? 0 : rc;
}

/* What the host does not zero, odd ends included, is written */
static int block_raw_zero(const struct block_backing *g, const struct block_io *io)
{
	uint64_t edge, whole = block_raw_whole(g, io, &edge);
	const uint64_t end = edge + whole;
	int rc = -EOPNOTSUPP;

	/* Zeroing a file frees its blocks: only where the driver allows that. */
	if (whole > 0 && (g->is_device || io->may_free))
		rc = block_raw_hole(g, io->off + edge, whole, true);
	if (block_raw_cannot(rc))
		return block_fd_write_zeros(BLOCK_RAW_FD, io->off, io->bytes);
	if (rc == 0)
		rc = block_fd_write_zeros(BLOCK_RAW_FD, io->off, edge);
	if (rc == 0)
		rc = block_fd_write_zeros(BLOCK_RAW_FD, io->off + end, io->bytes - end);
	return rc;
}

/* Syscalls: fdatasync */
static int block_raw_flush(void)
{
	return fdatasync(BLOCK_RAW_FD) < 0 ? -errno : 0;
}

/* Reads what the page cache has */
static bool block_raw_at_once(struct block_backing *g UNUSED, struct block_io *io)
{
	if (io->op != BLOCK_READ ||
	    !block_fd_read_cached(BLOCK_RAW_FD, io->iov, io->nr_iov, io->off, io->bytes))
		return false;
	io->rc = 0;
	return true;
}

static int block_raw_carry_out(struct block_backing *g, struct block_io *io)
{
	switch (io->op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
		return block_fd_move(BLOCK_RAW_FD, io->op == BLOCK_WRITE, io->iov, io->nr_iov,
				     io->off);
	case BLOCK_FLUSH: return block_raw_flush();
	case BLOCK_DISCARD: return block_raw_discard(g, io);
	case BLOCK_ZERO: return block_raw_zero(g, io);
	case BLOCK_BLANK: break;
	}
	return -EINVAL;
}

const struct block_format block_raw = {
	.name = "raw",
	.threads = KIND_THREADS_MAX,
	.init = block_raw_init,
	.carry_out = block_raw_carry_out,
	.at_once = block_raw_at_once,
};

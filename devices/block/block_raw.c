/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Raw images and block devices, by way of the page cache or around it
 */
#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "devices/block/block_backing.h"
#include "devices/block/block_direct.h"
#include "devices/block/block_fd.h"
#include "devices/core/kind.h"

#define BLOCK_RAW_FD	    BOOT_FD_RES
#define BLOCK_RAW_ZERO_IOVS 64U

static const _Alignas(4096) uint8_t block_raw_zeros[4096];

/* The state is a struct block_direct, or NULL without O_DIRECT.  Context: setup */
static int block_raw_init(struct block_backing *g, const struct boot_dev *rec, struct err *err)
{
	struct block_direct *d;
	int rc;

	if (rec->nr_res != 1)
		return err_text(err, EINVAL, "%s: %u resources, not 1", rec->name, rec->nr_res);
	if (!g->direct_mem && !g->direct_off)
		return 0;
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(err, ENOMEM, "%s: memory for O_DIRECT", rec->name);
	g->state = d;
	rc = block_direct_init(d, BLOCK_RAW_FD, g->direct_mem, g->direct_off, err);
	if (rc == 0 && (g->unit % d->off || g->capacity % d->off))
		rc = err_text(err, EINVAL, "not a disk of units of %u bytes", d->off);
	return rc < 0 ? err_wrap(err, "%s", rec->name) : 0;
}

static void block_raw_done(struct block_backing *g)
{
	if (g->state)
		block_direct_done(g->state);
	free(g->state);
}

static int block_raw_move(const struct block_backing *g, bool write, struct iovec *iov,
			  unsigned int nr, uint64_t off)
{
	return g->state ? block_direct_move(g->state, write, iov, nr, off)
			: block_fd_move(BLOCK_RAW_FD, write, iov, nr, off);
}

/* As data */
static int block_raw_write_zeros(const struct block_backing *g, uint64_t off, uint64_t bytes)
{
	while (bytes > 0) {
		struct iovec iov[BLOCK_RAW_ZERO_IOVS];
		unsigned int nr = 0;
		uint64_t n = 0;
		int rc;

		while (nr < BLOCK_RAW_ZERO_IOVS && n < bytes) {
			iov[nr].iov_base = (void *)(uintptr_t)block_raw_zeros;
			iov[nr].iov_len = (size_t)block_min(bytes - n, sizeof(block_raw_zeros));
			n += iov[nr++].iov_len;
		}
		rc = block_raw_move(g, true, iov, nr, off);
		if (rc < 0)
			return rc;
		off += n;
		bytes -= n;
	}
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
		return block_raw_write_zeros(g, io->off, io->bytes);
	if (rc == 0)
		rc = block_raw_write_zeros(g, io->off, edge);
	if (rc == 0)
		rc = block_raw_write_zeros(g, io->off + end, io->bytes - end);
	return rc;
}

/* Syscalls: fdatasync */
static int block_raw_flush(void)
{
	return fdatasync(BLOCK_RAW_FD) < 0 ? -errno : 0;
}

/* Reads what the page cache has. With O_DIRECT there is nothing in it, and the call would wait for the disk. */
static bool block_raw_at_once(struct block_backing *g, struct block_io *io)
{
	if (io->op != BLOCK_READ || g->state ||
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
		return block_raw_move(g, io->op == BLOCK_WRITE, io->iov, io->nr_iov, io->off);
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
	.done = block_raw_done,
	.carry_out = block_raw_carry_out,
	.at_once = block_raw_at_once,
};

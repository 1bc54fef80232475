/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/block_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "devices/block/block_fd.h"

#define BLOCK_DIRECT_UNIT_MAX (64U << 10)
#define BLOCK_DIRECT_BYTES    (256U << 10) /* of the buffer */

static bool block_direct_unit(uint32_t unit)
{
	return unit > 0 && unit <= BLOCK_DIRECT_UNIT_MAX && (unit & (unit - 1)) == 0;
}

/* Any thread may have the buffer after this. */
static void block_direct_pass(const struct block_direct *d)
{
	const uint8_t byte = 0;
	ssize_t n;

	do
		n = write(d->turn[1], &byte, 1);
	while (n < 0 && errno == EINTR);
	vr_assert(n == 1);
}

static void block_direct_wait(const struct block_direct *d)
{
	uint8_t byte;
	ssize_t n;

	do
		n = read(d->turn[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	vr_assert(n == 1);
}

int block_direct_init(struct block_direct *d, int fd, uint32_t mem, uint32_t off, struct err *err)
{
	void *buf;

	if (!block_direct_unit(mem) || !block_direct_unit(off))
		return err_text(err, EINVAL, "units of %u and %u bytes for O_DIRECT", mem, off);
	*d = (struct block_direct){.fd = fd, .mem = mem, .off = off, .turn = {-1, -1}};
	if (posix_memalign(&buf, BLOCK_DIRECT_UNIT_MAX, BLOCK_DIRECT_BYTES) != 0)
		return err_set(err, ENOMEM, "buffer for O_DIRECT");
	d->buf = buf;
	if (pipe2(d->turn, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe for O_DIRECT");
	block_direct_pass(d);
	return 0;
}

void block_direct_done(struct block_direct *d)
{
	if (!d->buf)
		return;
	free(d->buf);
	cleanup_close_fd(&d->turn[0]);
	cleanup_close_fd(&d->turn[1]);
	*d = (struct block_direct){0};
}

static bool block_direct_fits(const struct block_direct *d, const struct iovec *iov,
			      unsigned int nr, uint64_t off)
{
	uint64_t places = 0, sizes = off;

	for (unsigned int i = 0; i < nr; i++) {
		places |= (uintptr_t)iov[i].iov_base;
		sizes |= iov[i].iov_len;
	}
	return (places & (d->mem - 1)) == 0 && (sizes & (d->off - 1)) == 0;
}

/* Copies between the front of @iov, which it takes off, and @buf */
static void block_direct_copy(struct iovec **iov, uint8_t *buf, size_t bytes, bool to_buf)
{
	while (bytes > 0) {
		struct iovec *v = *iov;
		const size_t n = v->iov_len < bytes ? v->iov_len : bytes;

		memcpy(to_buf ? buf : v->iov_base, to_buf ? v->iov_base : buf, n);
		v->iov_base = (uint8_t *)v->iov_base + n;
		v->iov_len -= n;
		*iov += v->iov_len == 0;
		buf += n;
		bytes -= n;
	}
}

/* One turn of the buffer, for @bytes from @off on, which lie in it with whole units around them */
static int block_direct_turn(const struct block_direct *d, bool write, struct iovec **iov,
			     uint64_t off, size_t bytes)
{
	const size_t head = off & (d->off - 1);
	const size_t whole = (head + bytes + d->off - 1) & ~(size_t)(d->off - 1);
	struct iovec all = {d->buf, whole};
	int rc = 0;

	if (!write || head + bytes != whole || head > 0)
		rc = block_fd_move(d->fd, false, &all, 1, off - head);
	if (rc < 0)
		return rc;
	block_direct_copy(iov, d->buf + head, bytes, write);
	all = (struct iovec){d->buf, whole};
	return write ? block_fd_move(d->fd, true, &all, 1, off - head) : 0;
}

int block_direct_move(const struct block_direct *d, bool write, struct iovec *iov, unsigned int nr,
		      uint64_t off)
{
	uint64_t left = 0;
	int rc = 0;

	if (block_direct_fits(d, iov, nr, off))
		return block_fd_move(d->fd, write, iov, nr, off);
	for (unsigned int i = 0; i < nr; i++)
		left += iov[i].iov_len;
	block_direct_wait(d);
	while (rc == 0 && left > 0) {
		const uint64_t room = BLOCK_DIRECT_BYTES - (off & (d->off - 1));
		const size_t n = (size_t)(left < room ? left : room);

		rc = block_direct_turn(d, write, &iov, off, n);
		off += n;
		left -= n;
	}
	block_direct_pass(d);
	return rc;
}

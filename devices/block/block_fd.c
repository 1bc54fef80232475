/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/block_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/syscall.h>

unsigned int block_fd_consume(struct iovec **iov, unsigned int nr, size_t n)
{
	while (nr > 0 && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		nr--;
	}
	if (n > 0) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
	return nr;
}

void block_fd_blank(const struct iovec *iov, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		memset(iov[i].iov_base, 0, iov[i].iov_len);
}

int block_fd_move(int fd, bool write, struct iovec *iov, unsigned int nr, uint64_t off)
{
	while (nr > 0) {
		ssize_t n = write ? pwritev(fd, iov, (int)nr, (off_t)off)
				  : preadv(fd, iov, (int)nr, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* 0: the image was made smaller */
			return n < 0 ? -errno : -EIO;
		nr = block_fd_consume(&iov, nr, (size_t)n);
		off += (uint64_t)n;
	}
	return 0;
}

bool block_fd_read_cached(int fd, const struct iovec *iov, unsigned int nr, uint64_t off,
			  uint64_t bytes)
{
	/* libc's preadv2() differs: musl's does not exist before 1.2.5, and others make preadv() of it. */
	long n = syscall(SYS_preadv2, fd, iov, (unsigned long)nr, off, 0UL, RWF_NOWAIT);

	return n >= 0 && (uint64_t)n == bytes;
}

int block_fd_punch(int fd, uint64_t off, uint64_t bytes)
{
	int rc;

	do
		rc = fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, (off_t)off,
			       (off_t)bytes);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

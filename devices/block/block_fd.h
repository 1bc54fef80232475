/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Whole transfers on a file or device; for formats
 */
#ifndef VMRUN_DEVICES_BLOCK_BLOCK_FD_H
#define VMRUN_DEVICES_BLOCK_BLOCK_FD_H

#include <sys/uio.h>

#include "devices/core/base.h"

/** block_fd_consume() - Take the first @n bytes off @iov.  Return: the entries that are left, of @nr */
MUST_CHECK unsigned int block_fd_consume(struct iovec **iov, unsigned int nr, size_t n);

/** block_fd_blank() - Fill memory with zeros */
void block_fd_blank(const struct iovec *iov, unsigned int nr);

/**
 * block_fd_move() - Read or write all of @iov
 * @iov:	Consumed: what it says afterwards means nothing
 *
 * Short transfers are continued: a signal or a full page cache is no disk error.
 * Context: locked, any thread
 * Syscalls: preadv pwritev
 * Return: 0 or -errno; -EIO for a file that ends too early
 */
MUST_CHECK int block_fd_move(int fd, bool write, struct iovec *iov, unsigned int nr, uint64_t off);

/**
 * block_fd_read_cached() - Read all of @iov if the page cache has it
 * @iov:	As it was, whatever comes out
 * @bytes:	What @iov has room for
 *
 * If it does not have all, the kernel begins to fetch the rest where it can.
 * Context: locked, any thread
 * Syscalls: preadv2
 * Return: false when a part is missing, or this file cannot tell
 */
MUST_CHECK bool block_fd_read_cached(int fd, const struct iovec *iov, unsigned int nr, uint64_t off,
				     uint64_t bytes);

/**
 * block_fd_punch() - Give a file's space back; it reads as zeros then
 *
 * A file is never asked to zero and keep the space (FALLOC_FL_ZERO_RANGE): that call could fill the
 * file system behind the image's end, where RLIMIT_FSIZE does not hold.
 * Context: locked, any thread
 * Syscalls: fallocate
 * Return: 0 or -errno
 */
MUST_CHECK int block_fd_punch(int fd, uint64_t off, uint64_t bytes);

#endif

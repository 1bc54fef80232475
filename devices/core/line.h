/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A file, pipe, terminal or socket that carries a console, without ever waiting for it
 *
 * Such files are shared with the caller, and so are the file descriptions where the supervisor could not
 * open them anew; O_NONBLOCK would change them for the caller too. So a line is read and written only when
 * poll says that it can be, and never more than surely fits. A file on a disk that hangs still blocks.
 *
 * No error and no end of input is final: a disk gets room again, a FIFO another reader or writer.
 */
#ifndef VMRUN_DEVICES_CORE_LINE_H
#define VMRUN_DEVICES_CORE_LINE_H

#include <sys/types.h>
#include <time.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * struct line - One end of it
 * @fd:		Borrowed; -1: none
 * @max:	Most to write at once
 * @is_file:	A regular one, which had @file_bytes when line_init() looked
 * @is_socket:	No file description of our own: MSG_DONTWAIT does instead
 */
struct line {
	int fd;
	unsigned int max;
	uint64_t file_bytes;
	bool is_file;
	bool is_socket;
};

/**
 * line_init() - Find out what @fd is
 * @fd:		Borrowed
 * @ret:	Filled on success
 *
 * Context: any
 * Syscalls: fstat
 * Return: 0 or -errno
 */
MUST_CHECK int line_init(int fd, struct line *ret, struct err *err);

/**
 * line_file_bytes() - The size of a regular file now
 *
 * Context: any
 * Syscalls: fstat
 * Return: 0 when that cannot be found out
 */
uint64_t line_file_bytes(const struct line *l);

/**
 * line_ready() - Whether a read or write does not wait; an error is ready too: the call tells which
 * @events:	POLLIN or POLLOUT
 * @timeout:	NULL: wait for ever
 *
 * Context: any
 * Syscalls: ppoll
 * Return: true as well for an error: the call tells which
 */
MUST_CHECK bool line_ready(const struct line *l, short events, const struct timespec *timeout);

/**
 * line_put() - Write what the line takes now
 * @buf:	Output
 * @len:	Its length, not 0
 *
 * Context: any
 * Syscalls: ppoll write sendto
 * Return: how many bytes went; -EAGAIN when it takes none now; else -errno
 */
MUST_CHECK ssize_t line_put(const struct line *l, const void *buf, size_t len);

/**
 * line_get() - Read what has come
 * @buf:	Filled
 * @len:	Room in it
 *
 * Context: any
 * Syscalls: ppoll read recvfrom
 * Return: how many bytes came; 0 at the end of input, which need not be the last; -EAGAIN when none have
 * come; else -errno
 */
MUST_CHECK ssize_t line_get(const struct line *l, void *buf, size_t len);

#endif

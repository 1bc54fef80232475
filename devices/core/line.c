/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/line.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* How much may be written without blocking once poll says "writable" */
#define LINE_PIPE_BYTES 4096U /* a pipe has a page free; a socket more */
#define LINE_TTY_BYTES	256U  /* a terminal has room in units of this size */
#define LINE_FILE_BYTES (1U << 20)

static const struct timespec line_at_once = {0};

int line_init(int fd, struct line *ret, struct err *err)
{
	struct stat st;

	/* By number: glibc's fstat() is newfstatat, which takes a path as well. */
	if (syscall(SYS_fstat, fd, &st) < 0)
		return err_set(err, errno, "input or output");
	*ret = (struct line){
		.fd = fd,
		.max = S_ISREG(st.st_mode)   ? LINE_FILE_BYTES
		       : S_ISCHR(st.st_mode) ? LINE_TTY_BYTES
					     : LINE_PIPE_BYTES,
		.is_file = S_ISREG(st.st_mode),
		.file_bytes = S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0,
		.is_socket = S_ISSOCK(st.st_mode),
	};
	return 0;
}

uint64_t line_file_bytes(const struct line *l)
{
	struct stat st;

	return syscall(SYS_fstat, l->fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

bool line_ready(const struct line *l, short events, const struct timespec *timeout)
{
	struct pollfd p = {.fd = l->fd, .events = events};

	return ppoll(&p, 1, timeout, NULL) > 0;
}

/* One call; EINTR retried.  Syscalls: write sendto */
static ssize_t line_write(const struct line *l, const void *buf, size_t len)
{
	ssize_t n;

	do
		n = l->is_socket ? send(l->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT)
				 : write(l->fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == 0 ? -EAGAIN : n;
}

ssize_t line_put(const struct line *l, const void *buf, size_t len)
{
	if (!l->is_socket && !line_ready(l, POLLOUT, &line_at_once))
		return -EAGAIN;
	return line_write(l, buf, len < l->max ? len : l->max);
}

/* One call, which brings no fds; EINTR retried.  Syscalls: read recvfrom */
static ssize_t line_read(const struct line *l, void *buf, size_t len)
{
	ssize_t n;

	do
		n = l->is_socket ? recv(l->fd, buf, len, MSG_DONTWAIT) : read(l->fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t line_get(const struct line *l, void *buf, size_t len)
{
	if (!l->is_socket && !line_ready(l, POLLIN, &line_at_once))
		return -EAGAIN;
	return line_read(l, buf, len);
}

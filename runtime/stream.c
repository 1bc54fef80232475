/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"

int stream_own(int fd)
{
	const int flags = fcntl(fd, F_GETFL);
	char path[32];
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
		return -1;
	fmt_into(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

size_t stream_put(int fd, const void *buf, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	ssize_t n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* A pipe that can be written to at all takes PIPE_BUF; without a reader it says more than that. */
	if (n < 0 && errno == ENOTSOCK && poll(&p, 1, 0) == 1 && p.revents == POLLOUT)
		n = write(fd, buf, len);
	return n > 0 ? (size_t)n : 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "devices/core/fmt.h"

#define DISK_MS 100

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

	/* A pipe that is ready takes PIPE_BUF bytes; without a reader it reports more than POLLOUT. */
	if (n < 0 && errno == ENOTSOCK && poll(&p, 1, 0) == 1 && p.revents == POLLOUT)
		n = write(fd, buf, len);
	return n > 0 ? (size_t)n : 0;
}

bool stream_is_disk(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* It closes all other fds of its parent: a lock, for example, would stay as long as the disk stands still. */
static NORETURN void stream_write_and_leave(int fd, const void *buf, size_t len)
{
	if (dup2(fd, STDIN_FILENO) < 0 || close_range(STDIN_FILENO + 1, ~0U, 0) < 0)
		_exit(1);
	_exit(write(STDIN_FILENO, buf, len) == (ssize_t)len ? 0 : 1);
}

/* Whether the writer ended within the time; *@ret_wrote: with success */
static bool stream_came_back(int *writer, int timeout_ms, bool *ret_wrote)
{
	struct pollfd p = {.fd = *writer, .events = POLLIN};
	siginfo_t info = {0};

	if (poll(&p, 1, timeout_ms) != 1 ||
	    waitid(P_PIDFD, (id_t)*writer, &info, WEXITED | WNOHANG) < 0)
		return false;
	cleanup_close_fd(writer);
	*writer = 0;
	*ret_wrote = info.si_code == CLD_EXITED && info.si_status == 0;
	return true;
}

size_t stream_put_apart(int fd, const void *buf, size_t len, int *writer)
{
	bool wrote = true;
	pid_t pid;

	if (*writer > 0 && !stream_came_back(writer, 0, &wrote))
		return 0;
	pid = fork();
	if (pid == 0)
		stream_write_and_leave(fd, buf, len);
	*writer = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (*writer < 0) {
		*writer = 0;
		return 0;
	}
	/* A writer that takes longer counts as successful. */
	return !stream_came_back(writer, DISK_MS, &wrote) || wrote ? len : 0;
}

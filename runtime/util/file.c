/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "runtime/util/device_file.h"

#define FIRST_BYTES 16384 /* of a text of unknown length */

int file_look(int dir, const char *path, int flags, struct stat *ret_st)
{
	cleanup_fd int fd = openat(dir, path, flags | O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_st = st;
	return TAKE_FD(fd);
}

int file_look_inside(int root, const char *path, int flags)
{
	const struct open_how how = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags),
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	const int fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int file_reopen(int path_fd, int flags)
{
	char self[32];

	fmt_into(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	return device_file_open(AT_FDCWD, self, flags);
}

/* Reads until the end or until @buf is full; returns the number of bytes, or -errno. */
static ssize_t file_read_up_to(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		const ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

ssize_t file_read(int dir, const char *path, char *ret, size_t size)
{
	cleanup_fd int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const ssize_t n = fd < 0 ? -errno : file_read_up_to(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	return n;
}

int file_read_all(const char *path, char **ret)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	size_t len = 0, size = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		char *more = realloc(text, size = size ? 2 * size : FIRST_BYTES);

		if (!more)
			return -ENOMEM;
		text = more;
		n = file_read_up_to(fd, text + len, size - len - 1);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
	} while (len == size - 1);
	text[len] = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

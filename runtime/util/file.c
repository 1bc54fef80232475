/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/file.h"

#include <errno.h>
#include <fcntl.h>

#include "devices/core/fmt.h"

int file_look(int dir, const char *path, int flags, struct stat *ret_st)
{
	cleanup_fd int fd = openat(dir, path, flags | O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_st = st;
	return TAKE_FD(fd);
}

int file_reopen(int path_fd, int flags)
{
	char self[32];
	int fd;

	fmt_into(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

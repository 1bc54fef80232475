/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"

int pid_file_check(const char *path, struct err *err)
{
	struct stat st;

	if (!path || lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return err_text(err, EINVAL,
			"--pid-file %s: exists and is not a regular file: name another one", path);
}

int pid_file_write(const char *path, pid_t pid, struct err *err)
{
	char temp[PATH_MAX], text[16];
	cleanup_fd int fd = -1;
	const char *slash = strrchr(path, '/');
	const int dir_len = slash ? (int)(slash + 1 - path) : 0;
	size_t len;

	if (strlen(path) + 2 > sizeof(temp))
		return err_set(err, ENAMETOOLONG, "pid file");
	fmt_into(temp, sizeof(temp), "%.*s.%s", dir_len, path, path + dir_len);
	/* The name can be guessed, and others may be able to write to the directory. */
	(void)unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, errno, "pid file %s", path);
	/* Without a newline: go-runc takes every byte for a digit. */
	len = fmt_into(text, sizeof(text), "%d", pid);
	if (write(fd, text, len) != (ssize_t)len || rename(temp, path) < 0) {
		const int rc = err_set(err, errno, "pid file %s", path);

		(void)unlink(temp);
		return rc;
	}
	return 0;
}

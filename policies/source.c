/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"

#define FILE_BYTES_MAX (1 << 18)

int source_read(const char *path, struct source *ret, struct err *err)
{
	cleanup_free char *text = NULL;
	/* A FIFO is not waited for. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return err_text(err, EINVAL, "%s: not a regular file of at most %d bytes", path,
				FILE_BYTES_MAX);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return err_set(err, ENOMEM, "%s", path);
	rc = fd_read_full(fd, text, (size_t)st.st_size);
	if (rc < 0 && st.st_size > 0)
		return err_set(err, -rc, "%s", path);
	*ret = (struct source){TAKE_PTR(text), (size_t)st.st_size};
	return 0;
}

char *source_path(const char *from, const char *name, size_t len, struct err *err)
{
	const char *slash = strrchr(from, '/');
	size_t folder = slash ? (size_t)(slash - from) + 1 : 0;
	size_t dot = len > 2 && !memcmp(name, "./", 2) ? 2 : 0;
	char *path;

	if (len < 2 || len > PATH_MAX || memchr(name, 0, len) || (!dot && name[0] != '/')) {
		(void)err_text(err, EINVAL, "a path is ./FILE or /FILE, not \"%.*s\"",
			       (int)(len < 60 ? len : 60), name);
		return NULL;
	}
	folder = dot ? folder : 0;
	path = malloc(folder + len - dot + 1);
	if (!path) {
		(void)err_set(err, ENOMEM, "a path");
		return NULL;
	}
	memcpy(path, from, folder);
	memcpy(path + folder, name + dot, len - dot);
	path[folder + len - dot] = 0;
	return path;
}

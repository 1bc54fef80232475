/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/cgroup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/util/file.h"

bool cgroup_has_word(const char *text, const char *name)
{
	const size_t len = strlen(name);

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		const size_t n = strcspn(text, " ");

		if (n == len && memcmp(text, name, n) == 0)
			return true;
		text += n;
	}
	return false;
}

int cgroup_open(int at, const char *path)
{
	const int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool cgroup_read(int dir, const char *file, char *ret, size_t size)
{
	if (file_read(dir, file, ret, size) < 0)
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

uint64_t cgroup_number(int dir, const char *file, const char *key)
{
	const size_t len = strlen(key);
	char text[1024], *rest;

	if (file_read(dir, file, text, sizeof(text)) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	return 0;
}

int cgroup_write(int dir, const char *file, const char *text)
{
	cleanup_fd int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

bool cgroup_has_children(int dir)
{
	struct stat st;

	/* A cgroup has a link for each child, as a directory does. */
	return fstat(dir, &st) == 0 && st.st_nlink > 2;
}

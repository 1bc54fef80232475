/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "devices/core/fmt.h"
#include "runtime/util/file.h"

int unix_connect(const char *path, int type, int flags)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	cleanup_fd int at = file_look(AT_FDCWD, path, flags, &st);
	cleanup_fd int fd = -1;

	if (at < 0)
		return at;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	fmt_into(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d", at);
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int unix_bind_to(int fd, const char *address)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	vr_assert(strlen(address) < sizeof(sun.sun_path));
	strcpy(sun.sun_path, address);
	return bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;
}

/* Not even its last name fits: it is made under a short one. */
static int unix_bind_and_rename(int fd, int dir, const char *name)
{
	char temporary[32], address[64];
	int rc;

	fmt_into(temporary, sizeof(temporary), ".vmrun.%d.%d", getpid(), fd);
	fmt_into(address, sizeof(address), "/proc/self/fd/%d/%s", dir, temporary);
	rc = unix_bind_to(fd, address);
	if (rc < 0 || renameat2(dir, temporary, dir, name, RENAME_NOREPLACE) == 0)
		return rc;
	rc = errno == EEXIST ? -EADDRINUSE : -errno;
	(void)unlinkat(dir, temporary, 0);
	return rc;
}

int unix_bind(int fd, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char parent[PATH_MAX], address[PATH_MAX + 32];
	cleanup_fd int dir = -1;

	if (strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return unix_bind_to(fd, path);
	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;
	fmt_into(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 0, path);
	dir = open(*parent ? parent : slash ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	fmt_into(address, sizeof(address), "/proc/self/fd/%d/%s", dir, name);
	if (strlen(address) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return unix_bind_to(fd, address);
	return unix_bind_and_rename(fd, dir, name);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* As many as the kernel follows */
#define INROOT_LINKS_MAX 40

static int inroot_openat2(int root, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, root, *path ? path : "/", &how, sizeof(how));
		/* EAGAIN: something was renamed on the way */
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

int inroot_open(int root, const char *path, int flags)
{
	return inroot_openat2(root, path, flags, 0, 0);
}

int inroot_open_plain(int root, const char *path)
{
	return inroot_openat2(root, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
}

static int inroot_make(int root, const char *path, unsigned int *links);

/* Where the link @name, in what @path names, leads to: -EINVAL: it is none. @links: how many may still be followed */
static int inroot_follow(int at, const char *path, const char *name, unsigned int *links,
			 char ret[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(at, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	if ((*links)-- == 0)
		return -ELOOP;
	target[n] = '\0';
	return snprintf(ret, PATH_MAX, "%s/%s", target[0] == '/' ? "" : path, target) >= PATH_MAX
		       ? -ENAMETOOLONG
		       : 0;
}

/* The directory @name in what @path names; where that is a link, what it leads to */
static int inroot_make_one(int root, const char *path, const char *name, unsigned int *links)
{
	cleanup_fd int at = inroot_open(root, path, O_PATH | O_DIRECTORY);
	char full[PATH_MAX];
	int rc;

	if (at < 0)
		return at;
	if (mkdirat(at, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	rc = inroot_follow(at, path, name, links, full);
	if (rc == -EINVAL)
		return 0;
	return rc < 0 ? rc : inroot_make(root, full, links);
}

/* All directories of @path, one after the other */
static int inroot_make(int root, const char *path, unsigned int *links)
{
	char done[PATH_MAX] = "", name[NAME_MAX + 1];
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && *(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");

		if (n > NAME_MAX || n + 1 >= sizeof(done) - at)
			return -ENAMETOOLONG;
		(void)snprintf(name, sizeof(name), "%.*s", (int)n, path);
		rc = inroot_make_one(root, done, name, links);
		at += (size_t)snprintf(done + at, sizeof(done) - at, "/%s", name);
		path += n;
	}
	return rc;
}

int inroot_dir(int root, const char *path)
{
	unsigned int links = INROOT_LINKS_MAX;
	int fd = inroot_open(root, path, O_PATH | O_DIRECTORY);
	int rc;

	if (fd != -ENOENT)
		return fd;
	rc = inroot_make(root, path, &links);
	return rc < 0 ? rc : inroot_open(root, path, O_PATH | O_DIRECTORY);
}

int inroot_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	cleanup_free char *parent = strndup(path, (size_t)(name - path));
	int fd;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	fd = parent ? inroot_dir(root, parent) : -ENOMEM;
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

/* An empty file, also where links lead to it. A pipe that someone put there meanwhile does not make it wait. */
static int inroot_make_file(int root, const char *path, unsigned int *links)
{
	char parent[PATH_MAX], full[PATH_MAX];
	cleanup_fd int at = -1;
	const char *name;
	int fd, rc;

	at = inroot_parent(root, path, &name);
	if (at < 0)
		return at;
	fd = inroot_openat2(at, name, O_CREAT | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644,
			    0);
	if (fd >= 0)
		close(fd);
	if (fd != -ELOOP)
		return fd < 0 ? fd : 0;
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	rc = inroot_follow(at, parent, name, links, full);
	return rc < 0 ? rc : inroot_make_file(root, full, links);
}

int inroot_file(int root, const char *path)
{
	unsigned int links = INROOT_LINKS_MAX;
	int fd = inroot_open(root, path, O_PATH);
	int rc;

	if (fd != -ENOENT)
		return fd;
	rc = inroot_make_file(root, path, &links);
	return rc < 0 ? rc : inroot_open(root, path, O_PATH);
}

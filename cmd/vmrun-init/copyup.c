/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/copyup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* A tree that is deeper takes more fds than it is worth. */
#define COPYUP_DEPTH 64

#define COPYUP_LIST  65536 /* the kernel's own limit, of names and of a value */

static int copyup_dir(int from, int to, unsigned int depth);

/* Neither path ends in a link that is followed. What cannot be read, or a tmpfs cannot have, stays behind. */
static int copyup_attributes(int from, int to, const char *name)
{
	static char names[COPYUP_LIST], value[COPYUP_LIST];
	char source[PATH_MAX], target[PATH_MAX];
	ssize_t len, bytes;

	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d/%s", from, name);
	(void)snprintf(target, sizeof(target), "/proc/self/fd/%d/%s", to, name);
	len = llistxattr(source, names, sizeof(names));
	for (const char *n = names; n < names + len; n += strlen(n) + 1) {
		bytes = lgetxattr(source, n, value, sizeof(value));
		if (bytes >= 0 && lsetxattr(target, n, value, (size_t)bytes, 0) < 0 &&
		    (errno == ENOSPC || errno == ENOMEM))
			return -errno;
	}
	return 0;
}

static int copyup_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to, name) < 0 ? -errno : 0;
}

static int copyup_file(int from, int to, const char *name)
{
	cleanup_fd int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_fd int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = 1;

	if (in < 0 || out < 0)
		return -errno;
	while (n > 0) {
		char buf[8192];
		ssize_t done = 0;

		n = read(in, buf, sizeof(buf));
		while (n > done) {
			ssize_t m = write(out, buf + done, (size_t)(n - done));

			if (m < 0)
				return -errno;
			done += m;
		}
	}
	return n < 0 ? -errno : 0;
}

static int copyup_subdir(int from, int to, const char *name, unsigned int depth)
{
	cleanup_fd int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int out = -1;

	if (depth == 0)
		return -ELOOP;
	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return -errno;
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return out < 0 ? -errno : copyup_dir(in, out, depth - 1);
}

static int copyup_content(int from, int to, const char *name, const struct stat *st,
			  unsigned int depth)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR: return copyup_subdir(from, to, name, depth);
	case S_IFREG: return copyup_file(from, to, name);
	case S_IFLNK: return copyup_link(from, to, name);
	default: return mknodat(to, name, st->st_mode, st->st_rdev) < 0 ? -errno : 0;
	}
}

static int copyup_one(int from, int to, const char *name, dev_t device, unsigned int depth)
{
	struct stat st;
	int rc;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode) && st.st_dev != device) {
		/* The mount point alone */
		rc = mkdirat(to, name, 0700) < 0 ? -errno : 0;
	} else {
		rc = copyup_content(from, to, name, &st, depth);
	}
	if (rc < 0)
		return rc;
	/* The owner first: a change of it clears set-uid bits. */
	if (fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(st.st_mode) && fchmodat(to, name, st.st_mode & 07777, 0) < 0) ||
	    utimensat(to, name, (struct timespec[]){st.st_atim, st.st_mtim}, AT_SYMLINK_NOFOLLOW) <
		    0)
		return -errno;
	return copyup_attributes(from, to, name);
}

static int copyup_dir(int from, int to, unsigned int depth)
{
	int at = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = at < 0 ? NULL : fdopendir(at);
	struct dirent *e;
	struct stat st;
	int rc = 0;

	if (!dir)
		return -errno;
	if (fstat(from, &st) < 0)
		rc = -errno;
	while (rc == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = copyup_one(from, to, e->d_name, st.st_dev, depth);
	(void)closedir(dir);
	return rc;
}

int copyup(int from, int to)
{
	struct stat st;
	int rc = copyup_dir(from, to, COPYUP_DEPTH);

	if (rc == 0 && fstat(from, &st) < 0)
		rc = -errno;
	/* By name: a mount's fd is as O_PATH. */
	if (rc == 0 && fchownat(to, ".", st.st_uid, st.st_gid, 0) < 0)
		rc = -errno;
	return rc == 0 ? copyup_attributes(from, to, ".") : rc;
}

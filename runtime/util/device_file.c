/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/device_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/**
 * struct wish - What a device program denied
 * @fd:		Open: the child puts the file here. -1: make the node @path instead
 */
struct wish {
	int dir;
	const char *path;
	int flags;
	mode_t mode;
	dev_t dev;
	int fd;
};

static int device_file_root(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

	for (unsigned int i = 0; i < ARRAY_SIZE(mounts); i++) {
		cleanup_fd int fd = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return TAKE_FD(fd);
	}
	return -1;
}

/* Its files are the caller's, and its memory is a copy: so it answers by its exit status. */
static NORETURN void device_file_grant(const struct wish *w)
{
	int fd;

	if (w->fd < 0)
		_exit(mknodat(w->dir, w->path, S_IFCHR | w->mode, w->dev) < 0 ? errno : 0);
	fd = openat(w->dir, w->path, w->flags);
	if (fd < 0 || dup3(fd, w->fd, O_CLOEXEC) < 0)
		_exit(errno);
	close(fd);
	_exit(0);
}

/* Return: 0; -EPERM also if no child can start there, since that is what the caller met */
static int device_file_outside(const struct wish *w)
{
	cleanup_fd int root = device_file_root();
	struct clone_args args = {.flags = CLONE_FILES | CLONE_INTO_CGROUP,
				  .cgroup = (uint64_t)root};
	int status = 0;
	pid_t pid, ended;

	if (root < 0)
		return -EPERM;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		device_file_grant(w);
	if (pid < 0)
		return -EPERM;
	do
		ended = waitpid(pid, &status, __WALL);
	while (ended < 0 && errno == EINTR);
	return ended == pid && WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

int device_file_open(int dir, const char *path, int flags)
{
	struct wish w = {.dir = dir, .path = path, .flags = flags | O_CLOEXEC | O_NOCTTY};
	cleanup_fd int fd = openat(dir, path, w.flags);
	int rc;

	if (fd >= 0)
		return TAKE_FD(fd);
	if (errno != EPERM)
		return -errno;
	fd = w.fd = eventfd(0, EFD_CLOEXEC); /* a place in the table of files */
	if (fd < 0)
		return -errno;
	rc = device_file_outside(&w);
	return rc < 0 ? rc : TAKE_FD(fd);
}

int device_file_null(void)
{
	return device_file_open(AT_FDCWD, "/dev/null", O_RDWR);
}

int device_file_make(int dir, const char *name, mode_t mode, dev_t dev)
{
	const struct wish w = {.dir = dir, .path = name, .mode = mode, .dev = dev, .fd = -1};

	if (mknodat(dir, name, S_IFCHR | mode, dev) == 0)
		return 0;
	return errno == EPERM ? device_file_outside(&w) : -errno;
}

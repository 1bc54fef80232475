/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "cmd/vmrun-init/inroot.h"
#include "cmd/vmrun-init/mountfd.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Opened only when it is known what it is: a node or pipe of the container's in its place has no effect. */
static int pty_master(int root)
{
	cleanup_fd int at = inroot_open(root, "/dev/pts/ptmx", O_PATH);
	struct statfs fs;
	struct stat st;
	char path[32];
	int fd;

	if (at < 0)
		return at;
	if (fstat(at, &st) < 0 || fstatfs(at, &fs) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || fs.f_type != DEVPTS_SUPER_MAGIC)
		return -ENODEV;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int pty_resize(int master, uint16_t rows, uint16_t cols)
{
	struct winsize size = {.ws_row = rows, .ws_col = cols};

	return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int pty_open(int root, const struct agent_process *p, int *ret_slave)
{
	cleanup_fd int master = pty_master(root);
	cleanup_fd int slave = -1;
	int locked = 0, rc = 0;

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* The group is what the mount says. */
	if (slave < 0 || fchown(slave, p->uid, (gid_t)-1) < 0)
		return -errno;
	if (p->rows || p->cols)
		rc = pty_resize(master, p->rows, p->cols);
	if (rc < 0)
		return rc;
	*ret_slave = TAKE_FD(slave);
	return TAKE_FD(master);
}

int pty_console(int root, int slave)
{
	cleanup_fd int at = inroot_file(root, "/dev/console");
	cleanup_fd int tree = -1;

	if (at < 0)
		return at;
	tree = mountfd_clone(slave, false);
	return tree < 0 ? tree : mountfd_attach(tree, at);
}

int pty_take(int slave)
{
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(slave, fd) < 0)
			return -errno;
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_find.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define FS_XFS_MAGIC 0x58465342 /* not in linux/magic.h */

/*
 * File systems that answer without another machine or process: only a disk of the host may be slow. What overlayfs
 * says of an inode's birth changes when it copies the inode.
 */
static const struct {
	uint32_t magic;
	bool born;
} fs_find_quick[] = {
	{EXT4_SUPER_MAGIC, true},	{FS_XFS_MAGIC, true}, {BTRFS_SUPER_MAGIC, true},
	{F2FS_SUPER_MAGIC, true},	{TMPFS_MAGIC, true},  {SQUASHFS_MAGIC, true},
	{OVERLAYFS_SUPER_MAGIC, false},
};

/* What is so for all inodes of a file system */
static void fs_find_kind(int fd, const struct fs_node *near, struct fs_found *ret)
{
	struct statfs s;

	ret->quick = ret->born = false;
	if (near && near->mnt == ret->stat.mnt) {
		ret->quick = near->quick;
		ret->born = near->born;
	} else if (fstatfs(fd, &s) == 0) {
		for (unsigned int i = 0; i < ARRAY_SIZE(fs_find_quick); i++) {
			if ((uint32_t)s.f_type != fs_find_quick[i].magic)
				continue;
			ret->quick = true;
			ret->born = fs_find_quick[i].born;
		}
	}
	if (!ret->born)
		ret->stat.birth = 0;
}

int fs_found_init(int fd, const struct fs_node *near, struct fs_found *ret)
{
	int rc = fs_stat(fd, &ret->stat);

	if (rc < 0)
		return rc;
	ret->fd = fd;
	fs_find_kind(fd, near, ret);
	return 0;
}

static int fs_find_open(int dir, const char *path, enum fs_wait wait, uint64_t resolve)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve |
			   (wait == FS_WAIT_NOT ? RESOLVE_CACHED : 0),
	};
	const int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* As fs_found_init(), without waiting for more than @wait has; that it is a server's says the mount that it is on */
static int fs_find_look(int fd, const struct fs_node *near, enum fs_wait wait, struct fs_found *ret)
{
	int rc = near->quick ? fs_stat_known(fd, &ret->stat) : 0;

	if (rc < 0)
		return rc;
	if (near->quick && ret->stat.mnt == near->mnt) {
		ret->fd = fd;
		fs_find_kind(fd, near, ret);
		return 0;
	}
	return wait == FS_WAIT_SERVER ? fs_found_init(fd, near, ret) : -EAGAIN;
}

int fs_find(const struct fs_node *dir, const char *name, enum fs_wait wait, struct fs_found *ret)
{
	cleanup_fd int fd = fs_find_open(dir->fd, name, wait, 0);
	struct fs_found f;
	int rc = fd < 0 ? fd : fs_find_look(fd, dir, wait, &f);

	if (rc < 0)
		return rc;
	(void)TAKE_FD(fd);
	*ret = f;
	return 0;
}

int fs_find_listed(const struct fs_node *dir, int dir_fd, const char *name, struct fs_found *ret)
{
	struct fs_found f = {.fd = -1};
	int rc = fs_stat_at(dir_fd, name, dir->quick, &f.stat);

	if (rc < 0)
		return rc;
	if (f.stat.mnt != dir->mnt)
		return -EXDEV;
	fs_find_kind(-1, dir, &f);
	*ret = f;
	return 0;
}

int fs_find_again(const struct fs_node *from, const char *path, enum fs_wait wait,
		  const struct fs_node *n, int *ret_fd)
{
	cleanup_fd int fd = fs_find_open(from->fd, path, wait, RESOLVE_NO_SYMLINKS);
	struct fs_found f;
	int rc;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV)
		return -ESTALE;
	rc = fd < 0 ? fd : fs_find_look(fd, n, wait, &f);
	if (rc == 0 && !fs_table_is(n, &f.stat))
		rc = -ESTALE;
	if (rc == 0)
		*ret_fd = TAKE_FD(fd);
	return rc;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define FS_STAT_BIRTH 0x800U  /* STATX_BTIME */
#define FS_STAT_MASK  0x1fffU /* STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID */

_Static_assert(sizeof(struct fs_statx) == 256, "as the kernel has it");

int fs_stat_whole(int fd, struct fs_statx *ret)
{
	return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, FS_STAT_MASK, ret) < 0 ? -errno : 0;
}

static int fs_stat_get(int fd, const char *name, int flags, struct fs_stat *ret)
{
	struct fs_statx x;

	if (syscall(SYS_statx, fd, name, flags, FS_STAT_MASK, &x) < 0)
		return -errno;
	*ret = (struct fs_stat){
		.mnt = x.mnt,
		.birth = x.mask & FS_STAT_BIRTH ? (uint64_t)x.btime.s * 1000000000U + x.btime.ns
						: 0,
		.dev_major = x.dev_major,
		.dev_minor = x.dev_minor,
		.attr =
			{
				.ino = x.ino,
				.size = x.size,
				.blocks = x.blocks,
				.atime = (uint64_t)x.atime.s,
				.mtime = (uint64_t)x.mtime.s,
				.ctime = (uint64_t)x.ctime.s,
				.atimensec = x.atime.ns,
				.mtimensec = x.mtime.ns,
				.ctimensec = x.ctime.ns,
				.mode = x.mode,
				.nlink = x.nlink,
				.uid = x.uid,
				.gid = x.gid,
				/* as the kernel's new_encode_dev() has it */
				.rdev = (x.rdev_minor & 0xff) | x.rdev_major << 8 |
					(x.rdev_minor & ~0xffU) << 12,
				.blksize = x.blksize,
			},
	};
	return 0;
}

int fs_stat(int fd, struct fs_stat *ret)
{
	return fs_stat_get(fd, "", AT_EMPTY_PATH, ret);
}

int fs_stat_known(int fd, struct fs_stat *ret)
{
	return fs_stat_get(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, ret);
}

int fs_stat_at(int dir, const char *name, bool known, struct fs_stat *ret)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

	return fs_stat_get(dir, name, flags | (known ? AT_STATX_DONT_SYNC : 0), ret);
}

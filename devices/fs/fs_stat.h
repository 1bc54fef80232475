/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What an inode is: statx(2), in FUSE's form
 */
#ifndef VMRUN_DEVICES_FS_FS_STAT_H
#define VMRUN_DEVICES_FS_FS_STAT_H

#include <linux/fuse.h>

#include "devices/core/base.h"

#define FS_STAT_MOUNT 0x1000U /* STATX_MNT_ID */

/**
 * struct fs_stat - An inode
 * @mnt:	Of the mount that it was found on
 * @birth:	When it was made, in ns; 0: its file system does not say
 * @attr:	All but its flags
 */
struct fs_stat {
	uint64_t mnt;
	uint64_t birth;
	uint32_t dev_major, dev_minor;
	struct fuse_attr attr;
};

/** struct fs_statx - The kernel's struct statx. Not every C library has it, and those that have do not go with linux/stat.h. */
struct fs_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct fs_statx_time {
		int64_t s;
		uint32_t ns;
		int32_t spare;
	} atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt;
	uint64_t spare3[13];
};

/** fs_stat_whole() - All of what @fd is open on.  Context: any.  Syscalls: statx.  Return: 0 or -errno */
MUST_CHECK int fs_stat_whole(int fd, struct fs_statx *ret);

/** fs_stat() - Of what @fd is open on.  Context: any.  Syscalls: statx.  Return: 0 or -errno */
MUST_CHECK int fs_stat(int fd, struct fs_stat *ret);

/** fs_stat_known() - As far as the host knows it without asking a server; all, where there is none.  Context: any.  Syscalls: statx.  Return: 0 or -errno */
MUST_CHECK int fs_stat_known(int fd, struct fs_stat *ret);

/**
 * fs_stat_at() - Of a name in a directory; a link is not followed
 * @known:	As fs_stat_known()
 *
 * Context: any
 * Syscalls: statx
 * Return: 0 or -errno
 */
MUST_CHECK int fs_stat_at(int dir, const char *name, bool known, struct fs_stat *ret);

#endif

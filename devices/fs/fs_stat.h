/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What an inode is: statx(2), in FUSE's form
 */
#ifndef VMRUN_DEVICES_FS_FS_STAT_H
#define VMRUN_DEVICES_FS_FS_STAT_H

#include <linux/fuse.h>

#include "devices/core/base.h"

/**
 * struct fs_stat - An inode
 * @mnt:	Of the mount that it was found on
 * @attr:	All but its flags
 */
struct fs_stat {
	uint64_t mnt;
	uint32_t dev_major, dev_minor;
	struct fuse_attr attr;
};

/** fs_stat() - Of what @fd is open on.  Context: any.  Syscalls: statx.  Return: 0 or -errno */
MUST_CHECK int fs_stat(int fd, struct fs_stat *ret);

#endif

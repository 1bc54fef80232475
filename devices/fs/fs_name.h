/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Operations on names in directories
 */
#ifndef VMRUN_DEVICES_FS_FS_NAME_H
#define VMRUN_DEVICES_FS_FS_NAME_H

#include "devices/fs/fs_state.h"

/**
 * fs_name_lookup() ... fs_name_tmpfile() - The operations
 *
 * Those that make or find an inode leave it in r->found, and what they open in r->fd.
 * Context: locked
 * Syscalls: openat2 statx fstatfs mknodat mkdirat symlinkat linkat unlinkat renameat2 openat readlinkat
 * Return: 0 or -errno
 */
int fs_name_lookup(struct fs *fs, struct fs_request *r);
int fs_name_readlink(struct fs *fs, struct fs_request *r);
int fs_name_mknod(struct fs *fs, struct fs_request *r);
int fs_name_mkdir(struct fs *fs, struct fs_request *r);
int fs_name_symlink(struct fs *fs, struct fs_request *r);
int fs_name_link(struct fs *fs, struct fs_request *r);
int fs_name_unlink(struct fs *fs, struct fs_request *r);
int fs_name_rmdir(struct fs *fs, struct fs_request *r);
int fs_name_rename(struct fs *fs, struct fs_request *r);
int fs_name_rename2(struct fs *fs, struct fs_request *r);
int fs_name_create(struct fs *fs, struct fs_request *r);
int fs_name_tmpfile(struct fs *fs, struct fs_request *r);

/** fs_name_removed(), fs_name_renamed() - What had the names has others or none.  Context: locked, in the loop.  Syscalls: close */
int fs_name_removed(struct fs *fs, struct fs_request *r);
int fs_name_renamed(struct fs *fs, struct fs_request *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Reading directories
 */
#ifndef VMRUN_DEVICES_FS_FS_DIR_H
#define VMRUN_DEVICES_FS_FS_DIR_H

#include "devices/fs/fs_state.h"

/**
 * fs_dir_read() - Names and where they continue
 *
 * Context: locked
 * Syscalls: lseek getdents64
 * Return: 0 or -errno
 */
int fs_dir_read(struct fs *fs, struct fs_request *r);

/**
 * fs_dir_read_plus() - With each name the inode, as if it had been looked up
 *
 * Context: locked
 * Syscalls: lseek getdents64 openat2 statx fstatfs
 * Return: 0 or -errno
 */
int fs_dir_read_plus(struct fs *fs, struct fs_request *r);

/** fs_dir_read_plus_end() - Count the lookups.  Context: locked, in the loop.  Syscalls: close */
int fs_dir_read_plus_end(struct fs *fs, struct fs_request *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Operations on extended attributes
 *
 * The host decides which names a device may use: its user namespace keeps trusted.* away, and access control
 * lists and file capabilities get the ids of its map.
 */
#ifndef VMRUN_DEVICES_FS_FS_XATTR_H
#define VMRUN_DEVICES_FS_FS_XATTR_H

#include "devices/fs/fs_state.h"

/** fs_xattr_has_default_acl() - Whether a directory says what may be done with new files.  Syscalls: getxattr */
bool fs_xattr_has_default_acl(const struct fs_node *dir);

/**
 * fs_xattr_set(), fs_xattr_get(), fs_xattr_list(), fs_xattr_remove() - The operations
 *
 * Context: locked
 * Syscalls: setxattr getxattr listxattr removexattr
 * Return: 0 or -errno
 */
int fs_xattr_set(struct fs *fs, struct fs_request *r);
int fs_xattr_get(struct fs *fs, struct fs_request *r);
int fs_xattr_list(struct fs *fs, struct fs_request *r);
int fs_xattr_remove(struct fs *fs, struct fs_request *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Inodes: telling what they are, changing that, forgetting them
 */
#ifndef VMRUN_DEVICES_FS_FS_ATTR_H
#define VMRUN_DEVICES_FS_FS_ATTR_H

#include "devices/fs/fs_find.h"
#include "devices/fs/fs_state.h"

#define FS_PATH_BYTES 12

/** fs_path() - The path of what @fd is open on: its number, for the working directory */
const char *fs_path(int fd, char ret[FS_PATH_BYTES]);

/**
 * fs_entry() - Count a lookup of what was found and fill in its entry
 * @dir:	Where it was found
 * @name:	Its name there; NULL: it has none
 * @f:		Its fd is taken over, also on failure
 *
 * Context: locked, in the loop
 * Syscalls: close
 * Return: 0, or -ENFILE when the table is full
 */
MUST_CHECK int fs_entry(struct fs *fs, struct fs_node *dir, const char *name, struct fs_found *f,
			struct fuse_entry_out *ret);

/** fs_entry_end() - For operations that find an inode: r->found is the answer.  Return: as fs_entry() */
int fs_entry_end(struct fs *fs, struct fs_request *r);

/**
 * fs_attr_get(), fs_attr_statx(), fs_attr_set(), fs_attr_statfs(), fs_attr_forget(), fs_attr_batch_forget() - The operations
 *
 * Context: locked
 * Syscalls: statx fchmodat fchownat openat ftruncate utimensat fstatfs close
 * Return: 0 or -errno
 */
int fs_attr_get(struct fs *fs, struct fs_request *r);
int fs_attr_statx(struct fs *fs, struct fs_request *r);
int fs_attr_set(struct fs *fs, struct fs_request *r);
int fs_attr_statfs(struct fs *fs, struct fs_request *r);
int fs_attr_forget(struct fs *fs, struct fs_request *r);
int fs_attr_batch_forget(struct fs *fs, struct fs_request *r);

#endif

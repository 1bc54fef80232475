/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Inodes: finding them, telling what they are, changing that
 */
#ifndef VMRUN_DEVICES_FS_FS_ATTR_H
#define VMRUN_DEVICES_FS_FS_ATTR_H

#include "devices/fs/fs_state.h"

#define FS_PATH_BYTES 12

/** fs_path() - The path of what @fd is open on: its number, for the working directory */
const char *fs_path(int fd, char ret[FS_PATH_BYTES]);

/**
 * fs_find() - Look a name up
 * @dir:	Where
 * @name:	One component
 * @now:	Fail with -EAGAIN where the host would have to read a disk
 * @ret:	Its fd is the caller's; untouched on failure
 *
 * Symbolic links are not followed, and magic ones neither.
 * Context: locked
 * Syscalls: openat2 statx fstatfs
 * Return: 0 or -errno
 */
MUST_CHECK int fs_find(const struct fs_node *dir, const char *name, bool now, struct fs_found *ret);

/**
 * fs_found_init() - What an O_PATH fd is open on
 * @near:	A node that is likely to be of the same file system, or NULL
 *
 * Context: any
 * Syscalls: statx fstatfs
 * Return: 0 or -errno. ret->fd is @fd, whose owner stays the same
 */
MUST_CHECK int fs_found_init(int fd, const struct fs_node *near, struct fs_found *ret);

/**
 * fs_entry() - Count a lookup of what was found and fill in its entry
 * @dir:	Where it was found, or NULL
 * @f:		Its fd is taken over, also on failure
 *
 * Context: locked, in the loop
 * Syscalls: close
 * Return: 0, or -ENFILE when the table is full
 */
MUST_CHECK int fs_entry(struct fs *fs, const struct fs_node *dir, struct fs_found *f,
			struct fuse_entry_out *ret);

/** fs_entry_end() - For operations that find an inode: r->found is the answer.  Return: as fs_entry() */
int fs_entry_end(struct fs *fs, struct fs_request *r);

/**
 * fs_attr_get(), fs_attr_set(), fs_attr_statfs(), fs_attr_forget(), fs_attr_batch_forget() - The operations
 *
 * Context: locked
 * Syscalls: statx fchmodat fchownat openat ftruncate utimensat fstatfs close
 * Return: 0 or -errno
 */
int fs_attr_get(struct fs *fs, struct fs_request *r);
int fs_attr_set(struct fs *fs, struct fs_request *r);
int fs_attr_statfs(struct fs *fs, struct fs_request *r);
int fs_attr_forget(struct fs *fs, struct fs_request *r);
int fs_attr_batch_forget(struct fs *fs, struct fs_request *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Finding inodes by their names
 */
#ifndef VMRUN_DEVICES_FS_FS_FIND_H
#define VMRUN_DEVICES_FS_FS_FIND_H

#include "devices/fs/fs_table.h"

/** enum fs_wait - What a call may wait for: whatever it takes, a disk of the host, nothing */
enum fs_wait { FS_WAIT_SERVER, FS_WAIT_DISK, FS_WAIT_NOT };

/**
 * fs_find() - Look a name up
 * @dir:	Where; it has an fd
 * @name:	One component
 * @wait:	Fail with -EAGAIN where this would have to wait for more. What is mounted on the name counts as a server's
 * @ret:	Its fd is the caller's; untouched on failure
 *
 * Symbolic links are not followed, and magic ones neither.
 * Context: locked
 * Syscalls: openat2 statx fstatfs
 * Return: 0 or -errno
 */
MUST_CHECK int fs_find(const struct fs_node *dir, const char *name, enum fs_wait wait,
		       struct fs_found *ret);

/**
 * fs_find_listed() - What a name of a directory that is being read is, without opening it
 * @dir:	Where
 * @dir_fd:	The same, open
 * @ret:	It has no fd; untouched on failure
 *
 * Context: locked
 * Syscalls: statx
 * Return: 0 or -errno: -EXDEV for what is mounted there. A look at that waits for its server, and the reader may want no
 * more than its name
 */
MUST_CHECK int fs_find_listed(const struct fs_node *dir, int dir_fd, const char *name,
			      struct fs_found *ret);

/**
 * fs_find_again() - Find a node by the path that it had
 * @from:	Where the path begins; it has an fd
 * @wait:	As fs_find()
 * @ret_fd:	The caller's; untouched on failure
 *
 * Context: locked
 * Syscalls: openat2 statx
 * Return: 0, or -errno: -ESTALE when something else is there, or nothing
 */
MUST_CHECK int fs_find_again(const struct fs_node *from, const char *path, enum fs_wait wait,
			     const struct fs_node *n, int *ret_fd);

/**
 * fs_found_init() - What an O_PATH fd is open on
 * @near:	A node that is likely to be of the same file system, or NULL
 *
 * Context: any
 * Syscalls: statx fstatfs
 * Return: 0 or -errno. ret->fd is @fd, whose owner stays the same
 */
MUST_CHECK int fs_found_init(int fd, const struct fs_node *near, struct fs_found *ret);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where an inode was found last: its parent and its name there
 *
 * A node has one name at a time, and a name one node. Names are those that the guest has seen or given. The
 * host may have changed them since, so what is found by them is compared (fs_find_again()). Parents make a
 * tree: a name that would put a directory below itself is not taken.
 */
#ifndef VMRUN_DEVICES_FS_FS_BIND_H
#define VMRUN_DEVICES_FS_FS_BIND_H

#include <limits.h>

#include "devices/fs/fs_table.h"

#define FS_DEPTH_MAX 4096U /* of directories without an fd, one below the other */

/** fs_bind_find() - The node that has this name, or NULL */
struct fs_node *fs_bind_find(const struct fs_nodes *t, const struct fs_node *dir, const char *name);

/**
 * fs_bind_set() - Give a name to a node that has none
 * @dir:	Has no node of that name
 *
 * Return: 0, -ENFILE without room for the name, -ELOOP when @dir is below @n
 */
MUST_CHECK int fs_bind_set(struct fs_nodes *t, struct fs_node *n, struct fs_node *dir,
			   const char *name);

/** fs_bind_clear() - Take its name from a node: its parent, which has one kid less, or NULL if it had no name */
struct fs_node *fs_bind_clear(struct fs_nodes *t, struct fs_node *n);

/**
 * fs_bind_path() - The path of a node without an fd
 * @ret_end:	The node at the end of the path: @n, or where the path would be too long, a directory above it
 * @ret:	The path, terminated; PATH_MAX bytes
 *
 * Return: the node with an fd where the path begins, or NULL: there is no path
 */
struct fs_node *fs_bind_path(const struct fs_nodes *t, struct fs_node *n, struct fs_node **ret_end,
			     char *ret);

#endif

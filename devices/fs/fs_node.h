/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The inodes that the guest knows
 *
 * The guest names an inode by a number that it was given with an entry (FUSE's nodeid), until it has forgotten
 * each lookup of it. A number is a place in a table and the count of the place's uses, so an old number is not
 * another inode. A node stays also while something holds it, or has it as its parent.
 *
 * A node's fd is O_PATH, and stays with the inode whatever happens to names. There are fewer fds than inodes, so
 * a node that has a name and that nothing holds may lose its fd, the one that was idle longest first; then it is
 * found again by its name. One without a name keeps its fd, up to a part of them all.
 *
 * Only the loop changes the table. A request that a thread carries out holds its nodes (fs_node_hold()).
 */
#ifndef VMRUN_DEVICES_FS_FS_NODE_H
#define VMRUN_DEVICES_FS_FS_NODE_H

#include "devices/fs/fs_table.h"

#define FS_NODES_MAX (1U << 20)

/**
 * fs_nodes_init() - A table with room for FS_NODES_MAX inodes, and the root in it
 * @fds_max:	How many of them have an fd at a time; but those that requests hold have one
 * @root:	Taken over
 *
 * Context: setup
 * Syscalls: mmap
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int fs_nodes_init(struct fs_nodes *t, uint32_t fds_max, const struct fs_found *root,
			     struct err *err);

/** fs_nodes_done() - Close all.  Context: setup.  Syscalls: close munmap */
void fs_nodes_done(struct fs_nodes *t);

/** fs_nodes_forget() - As if the guest had forgotten all lookups of all nodes.  Context: locked.  Syscalls: close */
void fs_nodes_forget(struct fs_nodes *t);

/** fs_node_get() - The node with this number, or NULL */
struct fs_node *fs_node_get(struct fs_nodes *t, uint64_t nodeid);

/** fs_node_id() - Its number */
uint64_t fs_node_id(const struct fs_nodes *t, const struct fs_node *n);

/** fs_node_hold() - It stays until fs_node_put(), with its fd; @n may be NULL for both.  Context: locked.  Syscalls: close */
void fs_node_hold(struct fs_nodes *t, struct fs_node *n);
void fs_node_put(struct fs_nodes *t, struct fs_node *n);

/**
 * fs_node_adopt() - Count one lookup of what was found
 * @dir:	Held: where; NULL: it has no name, and keeps its fd
 * @name:	Its name there
 * @f:		Its fd is taken over, or closed
 *
 * Context: locked
 * Syscalls: close
 * Return: the node, or NULL when the table is full
 */
struct fs_node *fs_node_adopt(struct fs_nodes *t, struct fs_node *dir, const char *name,
			      struct fs_found *f);

/**
 * fs_node_forget() - The guest has forgotten @lookups of it, or claims to; the root stays
 *
 * Context: locked
 * Syscalls: close
 */
void fs_node_forget(struct fs_nodes *t, struct fs_node *n, uint64_t lookups);

/**
 * fs_node_closing() - The next node that is no more, and whose fd a thread has to close; NULL: none
 *
 * It is the caller's until fs_node_closed().
 */
struct fs_node *fs_node_closing(struct fs_nodes *t);

/** fs_node_closed() - Its fd is closed */
void fs_node_closed(struct fs_nodes *t, struct fs_node *n);

/** fs_node_open() - A held node was found again: @fd is taken over.  Context: locked.  Syscalls: close */
void fs_node_open(struct fs_nodes *t, struct fs_node *n, int fd);

/**
 * fs_node_name() - A held node has this name from now on, and no other node has
 * @dir:	Held; NULL: it has none
 *
 * Where that is not possible it has none.
 * Context: locked
 * Syscalls: close
 * Return: 0, or -ENFILE without room for the name
 */
int fs_node_name(struct fs_nodes *t, struct fs_node *n, struct fs_node *dir, const char *name);

#endif

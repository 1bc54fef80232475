/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The inodes that the guest knows
 *
 * The guest names an inode by a number that it was given with an entry (FUSE's nodeid), until it has forgotten
 * each lookup of it. Behind the number is an O_PATH fd: it stays with the inode whatever happens to names. A
 * number is an index into a table and the count of the place's uses, so an old number is not another inode.
 *
 * Only the loop changes the table. A request that a thread carries out holds its nodes (fs_node_hold()).
 */
#ifndef VMRUN_DEVICES_FS_FS_NODE_H
#define VMRUN_DEVICES_FS_FS_NODE_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/fs/fs_stat.h"

/**
 * struct fs_found - An inode that was just looked up
 * @fd:		O_PATH; the owner closes it
 * @quick:	Its file system is one of the host's own disks or memory, and does not keep the loop waiting
 */
struct fs_found {
	int fd;
	bool quick;
	struct fs_stat stat;
};

/**
 * struct fs_node - An inode
 * @fd:		O_PATH; -1 in a free place
 * @next:	The next of its bucket, or free place: its index + 1; 0: none
 * @uses:	How often the place was used before
 * @busy:	Requests that hold it
 * @lookups:	How often the guest was given its number; 0: it goes when nothing holds it
 * @type:	S_IFMT bits
 */
struct fs_node {
	int fd;
	uint32_t next, uses, busy;
	uint64_t lookups;
	uint64_t ino, mnt;
	uint32_t dev_major, dev_minor;
	uint32_t type;
	bool quick;
};

/**
 * struct fs_nodes - The table
 * @bucket:	First node with this hash: its index + 1
 * @fresh:	Places from here on were never used
 * @free:	First free place below @fresh: its index + 1
 * @known:	How many there are
 */
struct fs_nodes {
	struct fs_node *node;
	uint32_t *bucket;
	uint32_t max, mask, fresh, free, known;
};

/**
 * fs_nodes_init() - A table with room for @max inodes, and the root in it
 * @root:	Taken over
 *
 * Context: setup
 * Syscalls: mmap
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int fs_nodes_init(struct fs_nodes *t, uint32_t max, const struct fs_found *root,
			     struct err *err);

/** fs_nodes_done() - Close all.  Context: setup.  Syscalls: close munmap */
void fs_nodes_done(struct fs_nodes *t);

/** fs_nodes_forget() - As if the guest had forgotten all lookups of all nodes.  Context: locked.  Syscalls: close */
void fs_nodes_forget(struct fs_nodes *t);

/** fs_node_get() - The node with this number, or NULL */
struct fs_node *fs_node_get(struct fs_nodes *t, uint64_t nodeid);

/** fs_node_id() - Its number */
uint64_t fs_node_id(const struct fs_nodes *t, const struct fs_node *n);

/** fs_node_hold() - It stays until fs_node_put(); @n may be NULL for both.  Context: locked.  Syscalls: close */
void fs_node_hold(struct fs_node *n);
void fs_node_put(struct fs_nodes *t, struct fs_node *n);

/**
 * fs_node_adopt() - Count one lookup of what was found
 * @f:		Its fd is taken over, or closed if the inode is known or there is no room
 *
 * Context: locked
 * Syscalls: close
 * Return: the node, or NULL when the table is full
 */
struct fs_node *fs_node_adopt(struct fs_nodes *t, struct fs_found *f);

/**
 * fs_node_forget() - The guest has forgotten @lookups of it, or claims to; the root stays
 *
 * Context: locked
 * Syscalls: close
 */
void fs_node_forget(struct fs_nodes *t, struct fs_node *n, uint64_t lookups);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The table of inodes: places, and how an inode is found in them
 *
 * Places have numbers, and the table has no pointers. It has room for all that a guest may know, and takes memory
 * only for as many as it ever knew at once.
 */
#ifndef VMRUN_DEVICES_FS_FS_TABLE_H
#define VMRUN_DEVICES_FS_FS_TABLE_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/fs/fs_label.h"
#include "devices/fs/fs_stat.h"

/**
 * struct fs_found - An inode that was just looked up
 * @fd:		O_PATH; the owner closes it. -1: only its attributes were looked up
 * @quick:	Its file system is one of the host's own disks or memory, and does not keep the loop waiting
 * @born:	It tells when an inode was made, and that never changes
 */
struct fs_found {
	int fd;
	bool quick, born;
	struct fs_stat stat;
};

/**
 * struct fs_node - An inode
 * @fd:		O_PATH; -1: it has none now
 * @uses:	How often the place was used before
 * @busy:	Requests and open files that hold it
 * @kids:	Nodes whose parent it is
 * @lookups:	How often the guest was given its number
 * @birth:	When it was made, 0: unknown. It tells an inode from a later one with its number
 * @next:	The next of its bucket, or free place: its number; 0: none
 * @named_next:	The next of its bucket of names, likewise
 * @parent:	Number of the directory in which it was found last; 0: it has no name
 * @label:	Its name there
 * @older, @newer: Its neighbours among the idle ones: numbers
 * @type:	S_IFMT bits; 0: a free place, or one that is about to be
 * @idle:	It is in the list of those that may lose their fd
 * @alone:	It counts among those that have an fd and no name
 */
struct fs_node {
	int fd;
	uint32_t uses, busy, kids;
	uint64_t lookups;
	uint64_t ino, mnt, birth;
	uint32_t dev_major, dev_minor;
	uint32_t next, named_next;
	uint32_t parent, label;
	uint32_t older, newer;
	uint16_t type;
	bool quick, born, idle, alone;
};

/**
 * struct fs_nodes - The table. The number of a place is its index + 1
 * @bucket, @named: First node with this hash of identity, or of parent and name: its number
 * @fresh:	Places from here on were never used
 * @free:	First free place below @fresh: its number
 * @known:	How many there are
 * @oldest, @newest: Ends of the list of idle ones: numbers
 * @fds, @fds_max: Nodes with an fd; more than that only while requests hold them
 * @alone:	Nodes that have an fd and no name, also those that are being closed
 * @closing:	Places whose fd a thread has to close: the first's number, they go on with @next
 * @moves:	Counts renames by the guest
 */
struct fs_nodes {
	struct fs_node *node;
	uint32_t *bucket, *named;
	uint32_t max, mask, fresh, free, known;
	uint32_t oldest, newest;
	uint32_t fds, fds_max, alone, closing;
	uint32_t moves;
	struct fs_labels labels;
};

/** fs_table_init() - Room for @max inodes.  Context: setup.  Syscalls: mmap madvise.  Return: 0 or -ENOMEM */
MUST_CHECK int fs_table_init(struct fs_nodes *t, uint32_t max, struct err *err);

/** fs_table_done() - Close and free all.  Context: setup.  Syscalls: close munmap */
void fs_table_done(struct fs_nodes *t);

/** fs_table_number() - Of a node's place */
static inline uint32_t fs_table_number(const struct fs_nodes *t, const struct fs_node *n)
{
	return (uint32_t)(n - t->node) + 1;
}

/** fs_table_node() - The node in a place; NULL for 0 */
static inline struct fs_node *fs_table_node(const struct fs_nodes *t, uint32_t number)
{
	return number ? &t->node[number - 1] : NULL;
}

/** fs_table_find() - The node that is this inode, or NULL */
struct fs_node *fs_table_find(const struct fs_nodes *t, const struct fs_stat *s);

/** fs_table_is() - Whether @n is this inode */
bool fs_table_is(const struct fs_node *n, const struct fs_stat *s);

/** fs_table_add() - A place for what was found, without its fd; NULL: the table is full */
struct fs_node *fs_table_add(struct fs_nodes *t, const struct fs_found *f);

/** fs_table_remove() - It is no inode any more; fs_table_free() is due */
void fs_table_remove(struct fs_nodes *t, struct fs_node *n);

/** fs_table_free() - Its place is free */
void fs_table_free(struct fs_nodes *t, struct fs_node *n);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The files and directories that the guest has open
 *
 * The guest names one by a number (FUSE's fh), as it does an inode (fs_node.h): a place in a table, and the count of
 * its uses. Only the loop changes the table.
 */
#ifndef VMRUN_DEVICES_FS_FS_FILE_H
#define VMRUN_DEVICES_FS_FS_FILE_H

#include "devices/fs/fs_node.h"

/**
 * struct fs_file - An open file or directory
 * @fd:		-1 in a free place
 * @next:	The next free place, or place that is being closed: its index + 1
 * @uses:	How often the place was used before
 * @busy:	Requests that hold it
 * @node:	What it is open on, held
 * @is_dir:	Made by OPENDIR
 * @appends:	The host puts what is written at the end (O_APPEND)
 * @gone:	The guest has released it: it goes when nothing holds it
 */
struct fs_file {
	int fd;
	uint32_t next, uses, busy;
	struct fs_node *node;
	bool is_dir, appends, gone;
};

/**
 * struct fs_files - The table, as in struct fs_nodes, and those
 * @closing:	First of those whose fd a thread has to close: its index + 1
 */
struct fs_files {
	struct fs_nodes *nodes;
	struct fs_file *file;
	uint32_t max, fresh, free, closing;
};

/** fs_files_init() - A table with room for @max.  Context: setup.  Syscalls: mmap madvise.  Return: 0 or -ENOMEM */
MUST_CHECK int fs_files_init(struct fs_files *t, uint32_t max, struct fs_nodes *nodes,
			     struct err *err);

/** fs_files_done() - Close all.  Context: setup.  Syscalls: close munmap */
void fs_files_done(struct fs_files *t);

/** fs_files_drop() - As if the guest had released all.  Context: locked.  Syscalls: close */
void fs_files_drop(struct fs_files *t);

/** fs_file_get() - The open file, or with @is_dir the open directory, with this number; or NULL */
struct fs_file *fs_file_get(struct fs_files *t, uint64_t fh, bool is_dir);

/**
 * fs_file_add() - An open file
 * @n:		What it is open on
 * @fd:		Taken over, also on failure
 *
 * Context: locked
 * Syscalls: close
 * Return: its number, or 0 when the table is full
 */
uint64_t fs_file_add(struct fs_files *t, struct fs_node *n, int fd, bool is_dir);

/** fs_file_drop() - The guest has released it: it goes when nothing holds it.  Context: locked.  Syscalls: close */
void fs_file_drop(struct fs_files *t, struct fs_file *f);

/** fs_file_closing(), fs_file_closed() - As fs_node_closing() and fs_node_closed() */
struct fs_file *fs_file_closing(struct fs_files *t);
void fs_file_closed(struct fs_files *t, struct fs_file *f);

/** fs_file_hold() - It stays until fs_file_put(); @f may be NULL for both.  Context: locked.  Syscalls: close */
void fs_file_hold(struct fs_file *f);
void fs_file_put(struct fs_files *t, struct fs_file *f);

#endif

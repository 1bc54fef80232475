/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The fds that the process may have, and the tables that they are divided among
 */
#ifndef VMRUN_DEVICES_FS_FS_TABLES_H
#define VMRUN_DEVICES_FS_FS_TABLES_H

#include "devices/fs/fs_state.h"

/**
 * fs_tables_init() - Make the tables of inodes, open files, and owners of locks
 * @root:	Its fd is taken over
 * @locks:	Locks are the host's
 *
 * Context: setup
 * Syscalls: prlimit64 mmap
 * Return: 0 or -errno
 */
MUST_CHECK int fs_tables_init(struct fs *fs, const struct fs_found *root, bool locks,
			      struct err *err);

/** fs_tables_done() - Close all and free them.  Context: setup.  Syscalls: close munmap */
void fs_tables_done(struct fs *fs);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Operations on open files
 */
#ifndef VMRUN_DEVICES_FS_FS_IO_H
#define VMRUN_DEVICES_FS_FS_IO_H

#include "devices/fs/fs_state.h"

/** fs_io_flags() - The flags of the guest's open(2), as far as they are the host's business */
int fs_io_flags(const struct fs *fs, uint32_t flags);

/**
 * fs_io_open_found() - Open what was found for use
 * @flags:	From fs_io_flags()
 * @ret_fd:	The caller's
 *
 * Only a regular file: opening a pipe waits for its other end, and a device is the host's.
 * Context: locked
 * Syscalls: openat
 * Return: 0 or -errno
 */
MUST_CHECK int fs_io_open_found(const struct fs_found *f, int flags, int *ret_fd);

/**
 * fs_io_open() ... fs_io_syncfs() - The operations
 *
 * Data moves between the file and the guest's buffers without a copy.
 * Context: locked
 * Syscalls: openat preadv2 preadv pwritev dup close fsync fdatasync fallocate lseek copy_file_range syncfs
 * Return: 0 or -errno; -EAGAIN when the loop only tries, and the host would have to read a disk
 */
int fs_io_open(struct fs *fs, struct fs_request *r);
int fs_io_opendir(struct fs *fs, struct fs_request *r);
int fs_io_read(struct fs *fs, struct fs_request *r);
int fs_io_write(struct fs *fs, struct fs_request *r);
int fs_io_flush(struct fs *fs, struct fs_request *r);
int fs_io_fsync(struct fs *fs, struct fs_request *r);
int fs_io_release(struct fs *fs, struct fs_request *r);
int fs_io_fallocate(struct fs *fs, struct fs_request *r);
int fs_io_lseek(struct fs *fs, struct fs_request *r);
int fs_io_copy(struct fs *fs, struct fs_request *r);
int fs_io_syncfs(struct fs *fs, struct fs_request *r);

/** fs_io_open_end() - r->fd becomes an open file; likewise opendir, and create, which has found an inode too */
int fs_io_open_end(struct fs *fs, struct fs_request *r);
int fs_io_opendir_end(struct fs *fs, struct fs_request *r);
int fs_io_create_end(struct fs *fs, struct fs_request *r);

#endif

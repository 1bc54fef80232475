/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A disk's file around the page cache (O_DIRECT)
 */
#ifndef VMRUN_RUNTIME_HOST_DISK_DIRECT_H
#define VMRUN_RUNTIME_HOST_DISK_DIRECT_H

#include "devices/core/err.h"
#include "runtime/plan/plan.h"

/**
 * struct disk_direct - What O_DIRECT wants of a file; powers of two, in bytes
 * @mem:	Where buffers begin
 * @off:	Where transfers begin on the disk, and how long each part of one is
 */
struct disk_direct {
	uint32_t mem, off;
};

/**
 * disk_direct() - Set O_DIRECT on an open disk, and find out what that wants
 * @f:		Its entry in the plan
 * @fd:		Borrowed; gets the flag also when a later check fails
 * @bytes:	Of the disk
 *
 * The kernel says what it wants (statx), or for a device the size of its sectors; where it does not, reads find out.
 * Context: setup
 * Syscalls: fcntl statx ioctl pread
 * Return: 0; -EINVAL for a file system without O_DIRECT or a size that does not fit, or another -errno; @err begins
 * with pointer and path
 */
MUST_CHECK int disk_direct(const struct plan_fd *f, int fd, uint64_t bytes, struct disk_direct *ret,
			   struct err *err);

#endif

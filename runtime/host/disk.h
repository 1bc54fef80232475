/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A disk of the host's that becomes a disk of the guest's
 *
 * A raw image's bytes are the guest's own, and a guest may write into its first sector what it likes.
 * So the bytes decide nothing where the user has said that the image is raw. Where he has not, an
 * image that begins like one of another format is refused: read as raw it would be garbage to the
 * guest, and writing would destroy it.
 */
#ifndef VMRUN_RUNTIME_HOST_DISK_H
#define VMRUN_RUNTIME_HOST_DISK_H

#include <sys/stat.h>

#include "devices/core/err.h"
#include "devices/core/settings.h"
#include "runtime/plan/plan.h"

/**
 * struct disk - What a device is told of its disk
 * @settings:	But for the serial number
 * @dev_flags:	BOOT_DEV_RAW_BLK or 0
 */
struct disk {
	struct block_settings settings;
	uint32_t dev_flags;
};

/**
 * disk_check() - Look at an open disk, and lock it
 * @f:		Its line of the plan
 * @fd:		Borrowed; the lock is an open file description lock over the whole file, exclusive for a
 *		writer, shared for readers. A file system without locks is used without
 * @st:		Of @fd, a regular file or a block device
 * @ret:	Untouched on failure
 *
 * Context: setup.  Syscalls: pread fcntl ioctl openat read close
 * Return: 0; -EINVAL, -EBUSY or -errno, and @err begins with pointer and path
 */
MUST_CHECK int disk_check(const struct plan_fd *f, int fd, const struct stat *st, struct disk *ret,
			  struct err *err);

#endif

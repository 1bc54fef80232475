/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A disk of the host that becomes a disk of the guest
 *
 * The guest owns the bytes of a raw image, and may write anything into its first sector. So if the user says
 * that an image is raw, its bytes are not looked at. Otherwise an image that begins like another format is
 * refused: read as raw it would be garbage to the guest, and writing would destroy it.
 */
#ifndef VMRUN_RUNTIME_HOST_DISK_H
#define VMRUN_RUNTIME_HOST_DISK_H

#include <sys/stat.h>

#include "devices/core/err.h"
#include "devices/core/settings.h"
#include "runtime/plan/plan.h"

/**
 * struct disk - The part of a device's plan that depends on the opened disk
 * @settings:	Without the serial number
 * @dev_flags:	BOOT_DEV_RAW_BLK or 0
 */
struct disk {
	struct block_settings settings;
	uint32_t dev_flags;
};

/**
 * disk_check() - Check an open disk, and lock it
 * @f:		Its entry in the plan
 * @fd:		Borrowed. The lock is an open file description lock over the whole file, exclusive for a
 *		writer, shared for readers; a file system without locks is accepted
 * @st:		Of @fd, a regular file or a block device
 * @ret:	Untouched on failure
 *
 * Context: setup
 * Syscalls: pread fcntl ioctl openat read close
 * Return: 0; -EINVAL, -EBUSY or another -errno, and @err begins with pointer and path
 */
MUST_CHECK int disk_check(const struct plan_fd *f, int fd, const struct stat *st, struct disk *ret,
			  struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A disk of the host that becomes a disk of the guest
 *
 * The guest owns the bytes of a raw image, and may write anything into its first sector. So if the user says
 * that an image is raw, its bytes are not looked at, and no image is taken for qcow2 unless the user says so.
 * Otherwise an image that begins like another format is refused: read as raw it would be garbage to the guest,
 * and writing would destroy it.
 *
 * Of a qcow2 image only the head is read here (core/qcow2_head.h), a record of fixed size.
 */
#ifndef VMRUN_RUNTIME_HOST_DISK_H
#define VMRUN_RUNTIME_HOST_DISK_H

#include <sys/stat.h>

#include "devices/core/err.h"
#include "devices/core/qcow2_head.h"
#include "devices/core/settings.h"
#include "runtime/plan/plan.h"

/**
 * struct disk - The part of a device's plan that depends on the opened disk
 * @settings:	Without the serial number
 * @dev_flags:	BOOT_DEV_RAW_BLK or 0
 * @most_bytes: What the file may grow to
 */
struct disk {
	struct block_settings settings;
	uint32_t dev_flags;
	uint64_t most_bytes;
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

/**
 * disk_read_head() - Read the head of a qcow2 image
 * @f:		Its entry in the plan
 * @fd:		Borrowed
 *
 * Context: setup
 * Syscalls: fstat pread
 * Return: 0; -EINVAL for one that vmrun does not support, or another -errno; @err begins with pointer and path
 */
MUST_CHECK int disk_read_head(const struct plan_fd *f, int fd, struct qcow2_head *ret,
			      struct err *err);

#endif

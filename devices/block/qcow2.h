/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: qcow2: a chain of images as one disk; the face of qcow2_*.c
 *
 * The file that is written to, and the backing files below it, are open before lockdown. Their heads are read here and
 * checked (core/qcow2_head.h), which is all the memory that the disk will ever need.
 *
 * Threads may call qcow2_read(), qcow2_write() and qcow2_drop() at the same time (qcow2_lock.h).
 */
#ifndef VMRUN_DEVICES_BLOCK_QCOW2_H
#define VMRUN_DEVICES_BLOCK_QCOW2_H

#include "devices/block/qcow2_image.h"
#include "devices/core/err.h"

/**
 * struct qcow2_files - A chain that is open
 * @fd:		[0] is the disk's own file, the others are the backing files, each below the one before.
 *		Borrowed for the disk's life
 * @nr:		1 to BOOT_RES_MAX
 * @raw:	Bit i: file i is a raw image, which is the last one
 * @writable:	File 0 is written to, and open for that
 */
struct qcow2_files {
	int fd[BOOT_RES_MAX];
	unsigned int nr;
	uint32_t raw;
	bool writable;
};

/**
 * qcow2_open() - Read the heads of a chain
 * @ret:	Zeroed by the caller; its memory is never freed. Meaningless after a failure
 *
 * Context: setup
 * Syscalls: fstat preadv mmap pipe2
 * Return: 0; -EINVAL for an image that is damaged or has what vmrun does not support, or another -errno
 */
MUST_CHECK int qcow2_open(struct qcow2 *ret, const struct qcow2_files *files, struct err *err);

#endif

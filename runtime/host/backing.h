/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The chain of files below a qcow2 image
 *
 * The head of an image names its backing file and says what format that one has, and so on downwards. A device
 * in enemy hands can write a name into the head of its own image, for the next start to open. So a name is
 * followed only to a regular file in the image's own directory or below it, whatever links are on the way (openat2,
 * RESOLVE_BENEATH), and only if the image says whether that file is raw or qcow2: formats are not guessed. The
 * files are opened for reading, locked against writers, and no file is in a chain twice.
 */
#ifndef VMRUN_RUNTIME_HOST_BACKING_H
#define VMRUN_RUNTIME_HOST_BACKING_H

#include "devices/core/err.h"
#include "runtime/plan/plan.h"

#define BACKING_MAX (BOOT_RES_MAX - 1) /* files below an image */

/**
 * struct backing - Open files below an image, the next one first
 * @file:	As a plan has them, with path and pointer of their own
 * @fd:		Opened and locked
 */
struct backing {
	unsigned int nr;
	struct plan_fd file[BACKING_MAX];
	int fd[BACKING_MAX];
};

/**
 * backing_open() - Open the files below a qcow2 image
 * @f:		The image's entry; disk_check() has accepted it
 * @fd:		The image; borrowed
 * @ret:	The caller's to backing_done(); untouched on failure
 *
 * Context: setup
 * Syscalls: pread fstat openat openat2 readlink fcntl close
 * Return: 0 or -errno; @err begins with pointer and path
 */
MUST_CHECK int backing_open(const struct plan_fd *f, int fd, struct backing *ret, struct err *err);

/** backing_qcow2_bits() - block_settings' @qcow2 of an image with these files below it */
uint32_t backing_qcow2_bits(const struct backing *b);

/** backing_done() - Close what is left of it, and free the names.  Syscalls: close */
void backing_done(struct backing *b);

#endif

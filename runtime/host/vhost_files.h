/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /dev/vhost-net and /dev/vhost-vsock, opened for the devices that lend them their rings
 */
#ifndef VMRUN_RUNTIME_HOST_VHOST_FILES_H
#define VMRUN_RUNTIME_HOST_VHOST_FILES_H

#include "runtime/plan/plan.h"

/**
 * vhost_files_open() - Open the file of a PLAN_FD_VHOST_*; a slot with another source is left alone
 * @proc:	Index of the process
 * @ret_fd:	The caller's; untouched on failure. A /dev/vhost-vsock has the guest's CID, which no other one of
 *		the host has as long as a copy of the fd is open
 *
 * The error has the JSON pointer and the remedy.
 * Syscalls: openat ioctl close
 */
MUST_CHECK int vhost_files_open(const struct plan *p, unsigned int proc, unsigned int slot,
				int *ret_fd, struct err *err);

#endif

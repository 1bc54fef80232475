/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Security contexts: the label that a guest's LSM gives what it makes (FUSE_SECURITY_CTX)
 *
 * It follows the names of a request: a header, and for a guest with such an LSM one name and value of an attribute.
 * What is made has it before the guest sees it, or is not made.
 */
#ifndef VMRUN_DEVICES_FS_FS_CONTEXT_H
#define VMRUN_DEVICES_FS_FS_CONTEXT_H

#include "devices/fs/fs_state.h"

/**
 * fs_context_read() - Check what follows the names of a request that makes something
 * @at:		Where in its arguments
 *
 * Context: locked
 * Syscalls: none
 * Return: 0 with r->context, or -EINVAL
 */
MUST_CHECK int fs_context_read(const struct fs *fs, struct fs_request *r, uint32_t at);

/** fs_context_set() - Label what @fd is open on, if r->context says how.  Context: locked.  Syscalls: setxattr.  Return: 0 or -errno */
MUST_CHECK int fs_context_set(const struct fs_request *r, int fd);

#endif

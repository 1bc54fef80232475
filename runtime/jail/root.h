/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The file system a jailed process sees: one empty directory that cannot be written
 */
#ifndef VMRUN_RUNTIME_JAIL_ROOT_H
#define VMRUN_RUNTIME_JAIL_ROOT_H

#include "devices/core/base.h"

/**
 * root_empty() - Swap the root for an empty read-only tmpfs and let go of the old one
 * @ret_step:	Names the step that failed, for the error message; untouched on success
 *
 * The caller is alone in a mount namespace that its own user namespace owns.
 * Context: the child, before exec.  Syscalls: mount chdir pivot_root umount2
 * Return: 0 or -errno
 */
MUST_CHECK int root_empty(const char **ret_step);

#endif

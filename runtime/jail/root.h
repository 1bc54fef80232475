/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The file system that a jailed process sees: one empty, read-only directory
 */
#ifndef VMRUN_RUNTIME_JAIL_ROOT_H
#define VMRUN_RUNTIME_JAIL_ROOT_H

#include "devices/core/base.h"

/**
 * root_empty() - Replace the root by an empty read-only tmpfs, and detach the old root
 * @ret_step:	Names the step that failed, for the error message; untouched on success
 *
 * The caller has a mount namespace of its own, owned by its user namespace.
 * Context: the child, before exec
 * Syscalls: mount chdir pivot_root umount2
 * Return: 0 or -errno
 */
MUST_CHECK int root_empty(const char **ret_step);

#endif

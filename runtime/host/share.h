/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Directories and files of the host, put together for a guest
 *
 * What is shared becomes the root of a mount that is attached nowhere. The holder of its fd sees exactly that: ".."
 * at its root is the root. Mounts below a shared directory are part of it. No mount that comes or goes on the host
 * later changes it, set-user-id bits and device nodes mean nothing on it, and read-only is a property of the mount.
 */
#ifndef VMRUN_RUNTIME_HOST_SHARE_H
#define VMRUN_RUNTIME_HOST_SHARE_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

/**
 * share_open() - Put sources together
 * @source:	Up to FS_SOURCES_MAX
 * @ret_fd:	O_PATH; the caller's
 *
 * A caller who may not mount does so in a user namespace of its own, in a child.
 * Context: setup; the caller has one thread
 * Syscalls: openat fstat open_tree mount_setattr; in a child unshare mount move_mount
 * Return: 0 or -errno, with the pointer and path of the source at fault
 */
MUST_CHECK int share_open(const struct plan_source *source, unsigned int nr, int *ret_fd,
			  struct err *err);

#endif

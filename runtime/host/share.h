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

/**
 * share_clone() - A copy of the mount of one source, attached nowhere
 *
 * Syscalls: openat fstat open_tree mount_setattr
 * Return: O_PATH, the caller's, or -errno
 */
MUST_CHECK int share_clone(const struct plan_source *s, struct err *err);

/**
 * share_empty() - An empty directory, read-only, attached nowhere
 *
 * Syscalls: fsopen fsconfig fsmount close
 * Return: the caller's; -1 with errno
 */
MUST_CHECK int share_empty(void);

/**
 * share_cover() - Put an empty directory in the place of @s->hidden
 * @tree:	The mount of @s, attached
 *
 * Syscalls: openat2 move_mount, and those of share_empty()
 */
MUST_CHECK int share_cover(const struct plan_source *s, int tree, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: `run -s PATH`: a symbolic link at a path of the user's to the control socket of a VM
 *
 * The link says which VM it is: ROOT/ID/control. It is recorded before it is made, and removed with the VM, but
 * only if it is still that link.
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_LINK_H
#define VMRUN_RUNTIME_STATE_STATE_LINK_H

#include <limits.h>

#include "devices/core/err.h"

/**
 * state_link_path() - The absolute path of the link
 * @arg:	A path in a directory that exists; or a directory, in which it is ID.sock
 *
 * Syscalls: readlink stat
 */
MUST_CHECK int state_link_path(const char *arg, const char *id, char ret[PATH_MAX],
			       struct err *err);

/**
 * state_link_make() - Make it
 * @root:	State root, absolute
 *
 * Syscalls: symlink
 * Return: 0; -EEXIST when there is a file at @path; else -errno
 */
MUST_CHECK int state_link_make(const char *root, const char *id, const char *path, struct err *err);

/** state_link_remove() - Remove it if it leads to this VM.  Syscalls: readlink unlink */
void state_link_remove(const char *root, const char *id, const char *path);

/**
 * state_link_open() - Open the state directory to whose socket a link leads
 * @ret_dir:	O_PATH, the caller's
 *
 * Syscalls: readlink openat
 * Return: 0; -ESRCH when that VM is gone; -EINVAL for another kind of file
 */
MUST_CHECK int state_link_open(const char *path, int *ret_dir, struct err *err);

#endif

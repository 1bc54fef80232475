/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A source that is an overlay of directories of the host
 *
 * `podman run -v DIR:/at:O` asks for one. Its layers mean nothing to a guest's kernel, so the host mounts it, attached nowhere,
 * and the guest shares it as any directory.
 */
#ifndef VMRUN_RUNTIME_HOST_SHARE_LAYERS_H
#define VMRUN_RUNTIME_HOST_SHARE_LAYERS_H

#include <limits.h>

#include "devices/core/base.h"

/** struct share_layers - Where a walk through options is; @in: in a value, @lower: of several directories */
struct share_layers {
	const char *at;
	bool in, lower;
};

/** share_layers_next() - The next directory that @l->at names, without escapes. Return: false behind the last */
bool share_layers_next(struct share_layers *l, char ret[PATH_MAX]);

/**
 * share_layers_mount() - Mount it
 * @layers:	Its options, with commas between them
 * @attr:	MOUNT_ATTR_*
 *
 * Syscalls: fsopen fsconfig fsmount close
 * Return: the mount's fd, the caller's, or -errno
 */
MUST_CHECK int share_layers_mount(const char *layers, unsigned int attr);

#endif

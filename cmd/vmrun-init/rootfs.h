/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The container's root: attached, filled by others, entered
 */
#ifndef VMRUN_CMD_VMRUN_INIT_ROOTFS_H
#define VMRUN_CMD_VMRUN_INIT_ROOTFS_H

#include "cmd/vmrun-init/desc.h"

/**
 * rootfs_attach() - Put the container's root into the mount namespace of this process, a new one
 * @share:	The directory that the container's files are in; covered by the root from here on
 * @ret_share:	The same directory below that, for the sources of binds
 *
 * Return: the root's fd or -errno
 */
MUST_CHECK int rootfs_attach(const struct desc *d, const char *share, int *ret_share);

/** rootfs_seal() - Make it read-only where that is asked for. Return: 0 or -errno */
MUST_CHECK int rootfs_seal(const struct desc *d, int root);

/** rootfs_enter() - Make it "/" and the working directory, with nothing else left. Return: 0 or -errno */
MUST_CHECK int rootfs_enter(const struct desc *d, int root);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The container's mounts, in their order
 */
#ifndef VMRUN_CMD_VMRUN_INIT_MOUNTS_H
#define VMRUN_CMD_VMRUN_INIT_MOUNTS_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/**
 * struct mounts - Mounts that become read-only later
 *
 * A tmpfs that config.json wants read-only gets its mount points, or the nodes of /dev, before that.
 */
struct mounts {
	int *later;
	uint32_t nr_later;
};

/**
 * mounts_make() - Make them; mount points that are missing are made first
 * @share:	Of rootfs_attach()
 * @root:	The container's root
 * @ret:	mounts_seal() frees it, also after a failure
 *
 * Return: 0 or -errno, then @f->index says which
 */
MUST_CHECK int mounts_make(const struct desc *d, int share, int root, struct mounts *ret,
			   struct fault *f);

/** mounts_seal() - Make read-only what was put off. Return: 0 or -errno */
MUST_CHECK int mounts_seal(struct mounts *m);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What newer guests ask for, protocol 7.39 to 7.41, by names that no linux/fuse.h has
 */
#ifndef VMRUN_DEVICES_FS_FS_NEWER_H
#define VMRUN_DEVICES_FS_FS_NEWER_H

#include "devices/fs/fs_stat.h"

#define FS_MINOR_MAX 41

/* FUSE_INIT's flags, as FUSE_* */
#define FS_DIRECT_IO_ALLOW_MMAP (1ULL << 36) /* shared mappings of files that are not cached */
#define FS_ALLOW_IDMAP		(1ULL << 40) /* ids of requests that make nothing are -1 */

#define FS_STATX		52 /* FUSE_STATX */

/** struct fs_statx_in - struct fuse_statx_in */
struct fs_statx_in {
	uint32_t getattr_flags, reserved;
	uint64_t fh;
	uint32_t flags, mask;
};

/** struct fs_statx_out - struct fuse_statx_out; the guest takes no notice of device and mount */
struct fs_statx_out {
	uint64_t valid_s;
	uint32_t valid_ns, flags;
	uint64_t spare[2];
	struct fs_statx stat;
};

_Static_assert(sizeof(struct fs_statx_in) == 24 && sizeof(struct fs_statx_out) == 288,
	       "as Linux has them");

#endif

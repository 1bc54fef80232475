/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/share_look.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

int share_look_at(const char *path, struct plan_look *ret)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*ret = (struct plan_look){.mode = st.st_mode};
	if (S_ISDIR(st.st_mode) && statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
		ret->tmpfs = true;
		ret->bytes = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/fs_cache.h"

#include <string.h>

const char *const fs_cache_names[] = {
	[FS_CACHE_AUTO] = "auto",
	[FS_CACHE_NONE] = "none",
	[FS_CACHE_ALWAYS] = "always",
	[FS_CACHES] = NULL,
};

enum fs_cache fs_cache_named(const char *name)
{
	unsigned int i = 0;

	while (name && i < FS_CACHES && strcmp(fs_cache_names[i], name) != 0)
		i++;
	return name && i < FS_CACHES ? (enum fs_cache)i : FS_CACHE_AUTO;
}

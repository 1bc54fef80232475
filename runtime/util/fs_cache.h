/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Names of what a guest may believe of a shared directory (enum fs_cache)
 */
#ifndef VMRUN_RUNTIME_UTIL_FS_CACHE_H
#define VMRUN_RUNTIME_UTIL_FS_CACHE_H

#include "devices/core/settings.h"

extern const char *const fs_cache_names[]; /* by enum fs_cache, NULL-terminated */

/** fs_cache_named() - The one of this name, which is one of them or NULL: the default */
enum fs_cache fs_cache_named(const char *name);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "fs"} of /vm/devices
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_FS_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_FS_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

extern const struct schema_table bundle_fs_table;

/** bundle_fs_check() - What the table cannot: one source or several, names that come twice, maps of ids */
MUST_CHECK int bundle_fs_check(const struct bundle_device *d, struct err *err);

/** bundle_fs_check_tag() - Whether a tag is free; @first is the list that @d is in */
MUST_CHECK int bundle_fs_check_tag(const struct bundle_device *d, const struct bundle_device *first,
				   struct err *err);

#endif

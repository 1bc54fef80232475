/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /mounts of a config.json
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_MOUNT_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_MOUNT_H

#include "runtime/config/bundle_inside.h"

/** bundle_mount_field - An element */
extern const struct schema_field bundle_mount_field;

/** bundle_mount_warn() - Name the mounts of /mounts that are to pass on what is mounted later, which no kernel does to another */
void bundle_mount_warn(struct schema_ctx *ctx, const struct schema_list *mounts);

/** bundle_mount_word() - The @i-th option that is not the file system's own; NULL behind the last one */
const char *bundle_mount_word(unsigned int i);

/** bundle_propagations - Words of /linux/rootfsPropagation, index 0: none; bundle_propagation_flags: their MS_* */
extern const char *const bundle_propagations[];
extern const uint64_t bundle_propagation_flags[];

#endif

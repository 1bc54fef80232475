/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /process and /mounts of a config.json
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_PROCESS_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_PROCESS_H

#include "runtime/config/schema.h"

extern const struct schema_table bundle_process_table;
extern const struct schema_field bundle_mount_field; /* an element of /mounts */

#endif

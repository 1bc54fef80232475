/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /linux of a config.json
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_LINUX_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_LINUX_H

#include "runtime/config/schema.h"

extern const struct schema_table bundle_linux_table;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "console"} of /vm/devices
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_CONSOLE_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_CONSOLE_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

extern const struct schema_table bundle_console_table;

/** bundle_console_check() - What the table cannot: names that come twice, a cap without a log */
MUST_CHECK int bundle_console_check(struct schema_ctx *ctx, const struct bundle_device *d);

#endif

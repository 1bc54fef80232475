/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /linux of a config.json
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_LINUX_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_LINUX_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

extern const struct schema_table bundle_linux_table;

/** bundle_linux_check() - What the table cannot: maps of ids, which belong to a user namespace */
MUST_CHECK int bundle_linux_check(const struct bundle_linux *l, struct err *err);

/** bundle_linux_warn() - Name the namespaces of the host that a container asks for by leaving them out, and has not */
void bundle_linux_warn(struct schema_ctx *ctx, const struct bundle_linux *l);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /vm of a config.json
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_VM_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_VM_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

extern const struct schema_table bundle_vm_table;

/** bundle_vm_check() - Check /vm beyond its table's rules, with the pointer at the root */
MUST_CHECK int bundle_vm_check(struct schema_ctx *ctx, const struct bundle *b);

/** bundle_check_hwconfig() - Check that both spellings of hwConfig, if both exist, agree */
MUST_CHECK int bundle_check_hwconfig(struct schema_ctx *ctx, struct json_object *vm);

#endif

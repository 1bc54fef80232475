/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Capabilities of Linux by name
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_CAPS_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_CAPS_H

#include "runtime/config/schema.h"

/** bundle_caps_names - By number, and a NULL */
extern const char *const bundle_caps_names[];

/** bundle_caps_number() - The number of CAP_NAME, or of NAME, in any case; -1 if there is none */
int bundle_caps_number(const char *name);

/** bundle_caps_decode() - Decode /process/capabilities into @target, a struct bundle_process; warns of unknown names */
MUST_CHECK int bundle_caps_decode(struct schema_ctx *ctx, struct json_object *value, void *target);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /hooks of a config.json
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_HOOKS_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_HOOKS_H

#include "runtime/config/bundle_types.h"

extern const struct schema_table bundle_hooks_table;

/**
 * bundle_hooks_parse() - The hooks of a config.json that was validated before
 * @text:	All of it, as bundle_text() gave it
 * @arena:	Owns what *@ret points to
 *
 * Context: setup
 * Syscalls: none but the heap's
 */
MUST_CHECK int bundle_hooks_parse(const char *text, struct arena *arena, struct bundle_hooks *ret,
				  struct err *err);

#endif

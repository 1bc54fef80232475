/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /linux/seccomp of a config.json: the table; runtime/plan/plan_seccomp.c makes programs of it
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_SECCOMP_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_SECCOMP_H

#include "runtime/config/bundle_inside.h"

/* Words of the specification, each list with a NULL */
extern const char *const bundle_seccomp_actions[], *const bundle_seccomp_operators[],
							   *const bundle_seccomp_flags[];

/** bundle_seccomp_decode() - Decode the object into @target, a struct bundle_linux */
MUST_CHECK int bundle_seccomp_decode(struct schema_ctx *ctx, struct json_object *value,
				     void *target);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The hooks of a plan, ready to be run
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_HOOKS_H
#define VMRUN_RUNTIME_PLAN_PLAN_HOOKS_H

#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

struct bundle_hooks;

/** plan_hooks_build() - Copy those of a bundle; *@ret is the caller's to free in any case */
MUST_CHECK int plan_hooks_build(const struct bundle_hooks *from, struct plan_hooks *ret,
				struct err *err);

/**
 * plan_hooks_parse() - Read those of a config.json that was validated before
 * @text:	All of it
 * @ret:	The caller's to free in any case
 *
 * For start and delete, which have the copy in the state directory.
 */
MUST_CHECK int plan_hooks_parse(const char *text, struct plan_hooks *ret, struct err *err);

/** plan_hooks_add_json() - Add those that there are to an object, as config.json has them */
void plan_hooks_add_json(const struct plan_hooks *h, struct json_object *to);

/** plan_hooks_free() - Free what they own; fine on zeroed ones */
void plan_hooks_free(struct plan_hooks *h);
#define cleanup_hooks __attribute__((cleanup(plan_hooks_free)))

#endif

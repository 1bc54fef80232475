/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A plan as JSON: create --dry-run prints it, tests/golden keeps it
 *
 * Unset members are left out. Every fd of every process is listed: that list is all a jail can reach.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_JSON_H
#define VMRUN_RUNTIME_PLAN_PLAN_JSON_H

#include "runtime/plan/plan_types.h"

/** plan_to_json() - Make an object of a plan; the caller's to json_object_put() */
struct json_object *plan_to_json(const struct plan *p);

#endif

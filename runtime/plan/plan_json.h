/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A plan as JSON, as create --dry-run prints it and as tests/golden keeps it
 *
 * What is not set is left out. Every fd of every process is listed: it is the list of what each
 * jail can reach.
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_JSON_H
#define VMRUN_RUNTIME_PLAN_PLAN_JSON_H

#include "runtime/plan/plan_types.h"

/** plan_to_json() - The plan as create --dry-run prints it; the caller's, json_object_put() it */
struct json_object *plan_to_json(const struct plan *p);

#endif

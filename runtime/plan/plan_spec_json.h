/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The description of a session as JSON, for people
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_SPEC_JSON_H
#define VMRUN_RUNTIME_PLAN_PLAN_SPEC_JSON_H

#include "runtime/plan/plan_types.h"

/**
 * plan_spec_to_json() - An array with an object for each item, in its order
 *
 * Numbers that are 0 and strings that are empty are left out; bytes that are not printable UTF-8 are shown as '?'.
 * Return: the caller's to json_object_put()
 */
struct json_object *plan_spec_to_json(const uint8_t *spec, size_t bytes);

#endif

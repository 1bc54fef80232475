/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: struct state as JSON: state.json and the OCI state
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_JSON_H
#define VMRUN_RUNTIME_STATE_STATE_JSON_H

#include <json-c/json.h>

#include "runtime/state/state.h"

/** state_to_json() - The file's contents; state_from_json() - back, checking every field */
struct json_object *state_to_json(const struct state *s);
MUST_CHECK int state_from_json(struct json_object *o, struct state **ret, struct err *err);

/** state_to_oci() - The OCI state as `state` and `list` print it; the caller's */
struct json_object *state_to_oci(const struct state *s);

#endif

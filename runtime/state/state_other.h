/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Devices that back-ends of others serve, as JSON
 *
 * They have no process of the VM's: what there is to know is whether their back-ends came back, and how often.
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_OTHER_H
#define VMRUN_RUNTIME_STATE_STATE_OTHER_H

#include <json-c/json.h>

#include "runtime/state/state.h"

/** state_others_to_json() - An array, of all of them; the caller's */
struct json_object *state_others_to_json(const struct state *s);

/** state_others_from_json() - And back; false if @a is none, or has what is none.  NULL: there are none */
MUST_CHECK bool state_others_from_json(struct json_object *a, struct state *s);

#endif

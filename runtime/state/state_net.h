/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: struct net_record as JSON, for state.json and for the OCI state
 */
#ifndef VMRUN_RUNTIME_STATE_STATE_NET_H
#define VMRUN_RUNTIME_STATE_STATE_NET_H

#include <json-c/json.h>

#include "runtime/net/record.h"

/** state_net_to_json() - One network device; the caller's */
struct json_object *state_net_to_json(const struct net_record *record);

/** state_net_from_json() - And back; false when a field is wrong or cannot be of the VM @id */
MUST_CHECK bool state_net_from_json(struct json_object *o, const char *id, struct net_record *ret);

#endif

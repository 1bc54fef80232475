/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: {"type": "net"} of /vm/devices
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_NET_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_NET_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

extern const struct schema_table bundle_net_table;

/** bundle_net_init() - Set the defaults and note which properties of @value are not empty */
void bundle_net_init(struct bundle_net *net, struct json_object *value);

/** bundle_net_fail_at() - The error about a property of device @d: -EINVAL, with its pointer */
int bundle_net_fail_at(struct schema_ctx *ctx, const struct bundle_device *d, const char *property,
		       const char *fmt, ...) PRINTF(4, 5);

#endif

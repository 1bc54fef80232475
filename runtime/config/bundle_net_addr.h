/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The addresses of one network device
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_NET_ADDR_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_NET_ADDR_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema_ctx.h"

/** bundle_net_addr() - Parse and complete the addresses of a device whose mode is resolved; or -EINVAL */
MUST_CHECK int bundle_net_addr(struct schema_ctx *ctx, struct bundle_device *d);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: All network devices of a bundle together
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_NET_CHECK_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_NET_CHECK_H

#include "runtime/config/bundle_types.h"
#include "runtime/config/schema.h"

/**
 * bundle_net_check() - Resolve modes and addresses of all network devices, and find contradictions
 *
 * Call it once /linux and /vm are decoded.
 */
MUST_CHECK int bundle_net_check(struct schema_ctx *ctx, struct bundle *b);

#endif

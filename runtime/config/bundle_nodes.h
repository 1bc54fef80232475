/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: /linux/devices of a config.json: nodes to make in a container
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_NODES_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_NODES_H

#include "runtime/config/bundle_inside.h"

/** bundle_node_field - An element */
extern const struct schema_field bundle_node_field;

/** bundle_nodes_mode() - S_IFCHR, S_IFBLK or S_IFIFO */
uint32_t bundle_nodes_mode(const struct bundle_node *n);

/** bundle_nodes_warn() - Name the nodes that stand for hardware of the host, which no guest has */
void bundle_nodes_warn(struct schema_ctx *ctx, const struct schema_list *nodes);

#endif

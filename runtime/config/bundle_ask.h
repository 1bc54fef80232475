/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What more than one file asks of a bundle that is decoded
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_ASK_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_ASK_H

#include "runtime/config/bundle_types.h"

/** bundle_listed() - How many devices of a type /vm/devices lists */
unsigned int bundle_listed(const struct bundle *b, enum kind_id type);

/**
 * bundle_netns() - The network namespace that /linux/namespaces names
 * @ret_index:	Its index there; may be NULL
 *
 * Return: its path, NULL when none has one
 */
const char *bundle_netns(const struct bundle *b, unsigned int *ret_index);

/** bundle_implied_net() - Whether a namespace to join implies a network device, as none is listed */
bool bundle_implied_net(const struct bundle *b);

#endif

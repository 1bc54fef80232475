/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Questions about a decoded bundle that several files ask
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
 * Return: its path, or NULL
 */
const char *bundle_netns(const struct bundle *b, unsigned int *ret_index);

/** bundle_implied_net() - Whether there is a network device without being listed: for a namespace to join */
bool bundle_implied_net(const struct bundle *b);

#endif

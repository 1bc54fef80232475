/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Questions about a decoded bundle that several files ask
 */
#ifndef VMRUN_RUNTIME_CONFIG_BUNDLE_ASK_H
#define VMRUN_RUNTIME_CONFIG_BUNDLE_ASK_H

#include "runtime/config/bundle_types.h"

/** BUNDLE_ON_FAILURE - The schema's field for "onFailure", of a device or another struct with such a member */
#define BUNDLE_ON_FAILURE(offset)                                                                  \
	{                                                                                          \
		.name = "onFailure", .kind = SCHEMA_ENUM, .off = (offset),                         \
		.words = bundle_on_failures                                                        \
	}
extern const char *const bundle_on_failures[];

/** bundle_kind() - What the guest sees of @d: its type's, or what a back-end of others serves */
const struct kind *bundle_kind(const struct bundle_device *d);

/** bundle_listed() - How many devices of a type /vm/devices lists */
unsigned int bundle_listed(const struct bundle *b, enum kind_id type);

/** bundle_nth() - The @nth device of a type in /vm/devices; NULL if there are fewer */
const struct bundle_device *bundle_nth(const struct bundle *b, enum kind_id type, unsigned int nth);

/**
 * bundle_namespace() - The element of /linux/namespaces of a type
 * @ret_index:	Its index there; may be NULL
 *
 * Return: NULL if it is not listed
 */
const struct bundle_namespace *
bundle_namespace(const struct bundle *b, enum bundle_namespace_type type, unsigned int *ret_index);

/**
 * bundle_netns() - The network namespace that /linux/namespaces names
 * @ret_index:	Its index there; may be NULL
 *
 * Return: its path, or NULL
 */
const char *bundle_netns(const struct bundle *b, unsigned int *ret_index);

/** bundle_implied_net() - Whether there is a network device without being listed: for a namespace to join, or a new one */
bool bundle_implied_net(const struct bundle *b);

/**
 * bundle_is_pod() - Whether the container is one that holds what the others of a pod share, and runs nothing
 *
 * containerd and CRI-O say so in annotations. podman does not, but what it runs is known to do nothing but wait.
 */
bool bundle_is_pod(const struct bundle *b);

#endif

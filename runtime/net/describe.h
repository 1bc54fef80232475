/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Networks in the description of a container (devices/core/agent_spec.h)
 *
 * An interface that was joined is described as its namespace has it at that moment (whole.h); another device, whose
 * addresses come from config.json, is eth<n>. A device without an interface is left out, and the guest never looks
 * at it.
 */
#ifndef VMRUN_RUNTIME_NET_DESCRIBE_H
#define VMRUN_RUNTIME_NET_DESCRIBE_H

#include "runtime/net/record.h"
#include "runtime/util/spec_items.h"

/**
 * net_describe() - Add the items of all networks, once those of mode netns are joined
 * @record:	All @nr of the VM
 */
MUST_CHECK int net_describe(const struct net_record *record, unsigned int nr, struct spec_items *to,
			    struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The guest's networks, as the host describes them
 */
#ifndef VMRUN_CMD_VMRUN_INIT_LINKS_H
#define VMRUN_CMD_VMRUN_INIT_LINKS_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/**
 * links_apply() - Names, MTUs, addresses, routes and neighbours; the loopback device comes up in any case
 *
 * Return: 0 or -errno, then @f->index counts links, addresses, routes and neighbours together, in this order
 */
MUST_CHECK int links_apply(const struct desc *d, struct fault *f);

#endif

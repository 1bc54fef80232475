/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The container's /dev
 */
#ifndef VMRUN_CMD_VMRUN_INIT_DEVNODES_H
#define VMRUN_CMD_VMRUN_INIT_DEVNODES_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/**
 * devnodes_make() - The nodes and links that every container has, then those of the description
 *
 * What is there already stays, if it is the same.
 * Return: 0 or -errno, then @f->index says which of the description
 */
MUST_CHECK int devnodes_make(const struct desc *d, int root, struct fault *f);

#endif

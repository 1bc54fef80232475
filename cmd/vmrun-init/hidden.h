/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Paths of the container that are covered, and that are read-only
 */
#ifndef VMRUN_CMD_VMRUN_INIT_HIDDEN_H
#define VMRUN_CMD_VMRUN_INIT_HIDDEN_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/**
 * hidden_make() - Make the read-only paths read-only, and cover the masked ones
 *
 * A directory is covered by an empty one, anything else by the guest's own /dev/null, not by the container's, which may be
 * anything. Paths that are missing are not an error. Runs before the root is entered.
 * Return: 0 or -errno, then @f says which
 */
MUST_CHECK int hidden_make(const struct desc *d, int root, struct fault *f);

#endif

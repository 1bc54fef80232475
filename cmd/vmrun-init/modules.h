/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The kernel's modules in the initrd
 *
 * /modules/order names them, one a line, in the order of loading: "FILE" or "FILE N", which is loaded only where there
 * is a virtio device of the type N (decimal).
 */
#ifndef VMRUN_CMD_VMRUN_INIT_MODULES_H
#define VMRUN_CMD_VMRUN_INIT_MODULES_H

#include "devices/core/err.h"

/** modules_load() - Load them, and free the memory that their files take. Return: 0 or -errno */
MUST_CHECK int modules_load(struct err *err);

#endif

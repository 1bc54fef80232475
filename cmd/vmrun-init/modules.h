/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The kernel's modules in the initrd
 *
 * /modules/order names them, one a line, in the order of loading: "FILE"; "FILE N", which is loaded only where there is a
 * virtio device of the type N (decimal); or "FILE N later", which no program has to wait for.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_MODULES_H
#define VMRUN_CMD_VMRUN_INIT_MODULES_H

#include "devices/core/err.h"

/** modules_load() - Load them, but for those of later, and free the memory that their files take. Return: 0 or -errno */
MUST_CHECK int modules_load(struct err *err);

/** modules_load_later() - Load the others, in a process of its own and out of everyone's way, once; agent.c reaps it */
void modules_load_later(void);

#endif

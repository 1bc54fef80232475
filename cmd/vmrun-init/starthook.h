/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: startContainer: hooks that run inside the container, before its program
 */
#ifndef VMRUN_CMD_VMRUN_INIT_STARTHOOK_H
#define VMRUN_CMD_VMRUN_INIT_STARTHOOK_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/* The hook ran and failed: none of its errno values says so. */
#define STARTHOOK_FAILED (-ECHILD)

/**
 * starthooks_run() - Run each to its end, with the state as its standard input
 *
 * Runs in the container's root. One over its time is killed.
 * Return: 0, STARTHOOK_FAILED, -ETIMEDOUT or -errno; then @f->index says which
 */
MUST_CHECK int starthooks_run(const struct desc *d, struct fault *f);

#endif

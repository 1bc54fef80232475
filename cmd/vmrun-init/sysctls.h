/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Settings of the container's kernel: sysctls and names
 */
#ifndef VMRUN_CMD_VMRUN_INIT_SYSCTLS_H
#define VMRUN_CMD_VMRUN_INIT_SYSCTLS_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/**
 * sysctls_apply() - Write them, and host name and domain name
 *
 * Runs in the container's namespaces, with the guest's own /proc. Return: 0 or -errno, then @f says which
 */
MUST_CHECK int sysctls_apply(const struct desc *d, struct fault *f);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a jailed process may use of the host: the numbers for each
 */
#ifndef VMRUN_RUNTIME_JAIL_SPAWN_LIMITS_H
#define VMRUN_RUNTIME_JAIL_SPAWN_LIMITS_H

#include "runtime/jail/jail.h"
#include "runtime/jail/spawn_types.h"

/**
 * spawn_limits() - The limits of process @index of a VM
 * @j:		Its fds are set
 *
 * Syscalls: fstat
 */
struct jail_limits spawn_limits(const struct spawn *s, unsigned int index, const struct jail *j);

/** spawn_limits_alone() - The limits of a device without a VM */
struct jail_limits spawn_limits_alone(const struct spawn_device *d);

#endif

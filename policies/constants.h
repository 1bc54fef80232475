/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The names a policy may use for numbers, with the system headers' values
 */
#ifndef VMRUN_POLICIES_CONSTANTS_H
#define VMRUN_POLICIES_CONSTANTS_H

#include "devices/core/base.h"

/**
 * constants_find() - The value of a name
 * @name:	@len bytes, not terminated
 *
 * Return: false when the table does not have it
 */
MUST_CHECK bool constants_find(const char *name, size_t len, uint64_t *ret);

/** constants_errno() - The errno value of a name ("ENOSYS"); 0 when it is none */
MUST_CHECK int constants_errno(const char *name, size_t len);

#endif

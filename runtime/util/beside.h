/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Files that belong to the running program, by their place as seen from its own
 *
 * So the build tree and an installed vmrun find theirs in the same way.
 */
#ifndef VMRUN_RUNTIME_UTIL_BESIDE_H
#define VMRUN_RUNTIME_UTIL_BESIDE_H

#include <limits.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * beside_program() - The path of a file
 * @relative:	As seen from the directory of the running program
 *
 * Syscalls: readlink
 * Return: 0 or -errno
 */
MUST_CHECK int beside_program(const char *relative, char ret[PATH_MAX], struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The names a policy may use for numbers
 *
 * constants.sh writes a table for each architecture from the kernel's headers at build time. It has no pointers: the
 * loader would write to every page of it, in each process of vmrun.
 */
#ifndef VMRUN_POLICIES_CONSTANTS_H
#define VMRUN_POLICIES_CONSTANTS_H

#include "devices/core/base.h"

/** struct constants - Those of one architecture, sorted by name; @name: where each begins in @names, terminated there */
struct constants {
	unsigned int nr;
	const char *names;
	const uint32_t *name;
	const uint64_t *value;
};

extern const struct constants constants_x86_64, constants_aarch64, constants_arm;

/**
 * constants_find() - The value of a name
 * @name:	@len bytes, not terminated
 *
 * Return: false when @of does not have it
 */
MUST_CHECK bool constants_find(const struct constants *of, const char *name, size_t len,
			       uint64_t *ret);

#endif

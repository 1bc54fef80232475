/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Arguments that tell what a system call does, and so are worth a rule: commands, flags, protections
 *
 * Sizes, offsets and addresses do not tell. An fd tells only who asks for it; AT_FDCWD in its place tells that a path
 * is meant, and a null pointer may tell that a call does less.
 */
#ifndef VMRUN_POLICIES_TELLING_H
#define VMRUN_POLICIES_TELLING_H

#include <stdio.h>

#include "policies/arch.h"

/**
 * telling() - Whether argument @arg of @call, being @value, is worth a rule
 * @fds:	Fds are
 */
MUST_CHECK bool telling(const char *call, unsigned int arg, uint64_t value, bool fds);

/** telling_print() - Write a value as a policy has it: by the names of constants, else as a number */
void telling_print(const struct arch *a, const char *call, unsigned int arg, uint64_t value,
		   FILE *out);

#endif

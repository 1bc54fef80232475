/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Rules to BPF, by libseccomp
 *
 * Default action, foreign architecture and x32 numbers: kill the process. libseccomp compares 64
 * bits and knows no "any of these bits", so each comparison is first written as alternatives of
 * masked equality (a range of 32-bit numbers becomes its aligned power-of-two blocks), and a clause
 * as the product of its comparisons' alternatives, one libseccomp rule each.
 */
#ifndef VMRUN_POLICIES_COMPILE_H
#define VMRUN_POLICIES_COMPILE_H

#include <linux/filter.h>

#include "policies/parse.h"

/** struct program - Compiled policy; zero-initialised, @insn to be freed by the caller */
struct program {
	unsigned int count;
	struct sock_filter *insn;
};

/**
 * compile_rules() - Compile a policy
 *
 * Return: 0; -E2BIG when it needs more than BOOT_FILTER_MAX instructions; else -errno. Messages
 * name the line where there is one
 */
MUST_CHECK int compile_rules(const struct rules *r, struct program *ret, struct err *err);

#endif

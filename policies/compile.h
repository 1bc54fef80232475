/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Rules to BPF
 *
 * A call of another architecture kills the process. The program then looks for the call's number,
 * in a tree that is deeper for calls that are made less often, and tries its rules in their order.
 */
#ifndef VMRUN_POLICIES_COMPILE_H
#define VMRUN_POLICIES_COMPILE_H

#include <linux/filter.h>

#include "policies/rules.h"

/** struct compiled - Compiled policy; zero-initialised, @insn to be freed by the caller */
struct compiled {
	unsigned int count;
	struct sock_filter *insn;
};

/**
 * compile_rules() - Compile a policy
 *
 * Return: 0; -E2BIG when it needs more than BPF_INSNS_MAX instructions; -ENOMEM
 */
MUST_CHECK int compile_rules(const struct rules *r, struct compiled *ret, struct err *err);

/**
 * compile_file() - Read a policy's rules from a file, and compile them
 * @r:		Its architecture is set; to be ended by rules_done() whatever is returned
 *
 * Return: 0; what parse_file() and compile_rules() return, with the file's name in the message
 */
MUST_CHECK int compile_file(const char *path, struct rules *r, struct compiled *ret,
			    struct err *err);

#endif

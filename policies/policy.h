/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The compiled policies, as vmrun links them
 *
 * build/gen/policies_ARCH.c, written by policyc from the programs among the .policy files, defines the table.
 * The supervisor copies a policy into the boot record of the process it is for.
 */
#ifndef VMRUN_POLICIES_POLICY_H
#define VMRUN_POLICIES_POLICY_H

#include <linux/filter.h>

#define POLICY_PLACE_BYTES 64

/** struct policy_line - Where a policy's rules for system call @nr end: "block.policy:9" */
struct policy_line {
	int nr;
	const char *place;
};

/**
 * struct policy - One compiled policy
 * @name:	The file's stem ("block_device")
 * @line:	@nr_lines of them, one for each of its calls; none: they are not known
 * @rules:	The rules as `vmrun policy explain` prints them, a text that parse_text() reads; NULL: not known
 */
struct policy {
	const char *name;
	unsigned int count;
	const struct sock_filter *insn;
	unsigned int nr_lines;
	const struct policy_line *line;
	const char *rules;
};

extern const struct policy policies[];
extern const unsigned int nr_policies;

/** policy_find() - By name; NULL when there is none */
const struct policy *policy_find(const char *name);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One filter of a policy, parsed; parse.h has the grammar
 */
#ifndef VMRUN_POLICIES_RULE_H
#define VMRUN_POLICIES_RULE_H

#include <linux/seccomp.h>

#include "policies/arch.h"

#define RULE_ARGS     6
#define RULE_CMPS_MAX 256

enum rule_op { RULE_EQ, RULE_NE, RULE_LT, RULE_LE, RULE_GT, RULE_GE, RULE_ANY, RULE_IN };

/**
 * struct rule_cmp - One comparison: arg @arg, @op, @value
 * @narrow:	The kernel looks at 32 bits of the argument
 * @ends:	It is the last of its && group; what follows is an alternative
 */
struct rule_cmp {
	uint64_t value;
	uint8_t arg;
	enum rule_op op;
	bool narrow;
	bool ends;
};

/**
 * struct rule - A filter: what becomes of a system call when its arguments are such
 * @file, @line:	Where it stands; @file belongs to struct rules
 * @statement:		Number of its statement; all filters of one are tried in order
 * @covered:		Unconditional, and an earlier statement has conditions for the same verdict, which are
 *			of no effect now: where they are; NULL: none
 * @covered_line:	Its line
 * @nr, @name:		The system call
 * @text:		The filter's words, in one line
 * @verdict:		SECCOMP_RET_*, with an errno value
 * @nr_cmps, @cmp:	Alternatives of && groups; none: always
 */
struct rule {
	const char *file;
	unsigned int line;
	unsigned int statement;
	const char *covered;
	unsigned int covered_line;
	int nr;
	char name[ARCH_SYSCALL_MAX];
	char *text;
	uint32_t verdict;
	unsigned int nr_cmps;
	struct rule_cmp *cmp;
};

/** rule_same() - Whether two filters are about one call, and say the same of the same arguments */
MUST_CHECK bool rule_same(const struct rule *a, const struct rule *b);

/** rule_holds() - Whether a filter is true of these arguments of its call, all with 64 bits */
MUST_CHECK bool rule_holds(const struct rule *r, const uint64_t args[RULE_ARGS]);

/** rule_done() - Free its text and comparisons */
void rule_done(struct rule *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One line of a policy, parsed; parse.h has the grammar
 */
#ifndef VMRUN_POLICIES_RULE_H
#define VMRUN_POLICIES_RULE_H

#include "devices/core/base.h"

#define RULE_ARGS	 6
#define RULE_CMPS_MAX	 RULE_ARGS
#define RULE_CLAUSES_MAX 16

enum rule_op { RULE_EQ, RULE_NE, RULE_LT, RULE_LE, RULE_GT, RULE_GE, RULE_ANY, RULE_IN };

/** struct rule_cmp - One comparison: arg @arg, @op, @value */
struct rule_cmp {
	unsigned int arg;
	enum rule_op op;
	uint64_t value;
};

/** struct rule_clause - Comparisons that must all be true; each argument at most once */
struct rule_clause {
	unsigned int nr;
	struct rule_cmp cmp[RULE_CMPS_MAX];
};

enum rule_kind { RULE_ALLOW, RULE_ERRNO, RULE_EXPR };

/**
 * struct rule - One line
 * @file, @line:	Where it stands; @file belongs to struct rules
 * @nr:			System call number on the machine policyc runs on
 * @errnum:		For RULE_ERRNO: what the caller gets
 * @clause:		For RULE_EXPR: alternatives
 */
struct rule {
	const char *file;
	unsigned int line;
	int nr;
	enum rule_kind kind;
	int errnum;
	unsigned int nr_clauses;
	struct rule_clause clause[RULE_CLAUSES_MAX];
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From calls that were made to a policy that allows them
 *
 * A call becomes a rule for each set of values that its telling arguments had (telling.h). One that had more than
 * LEARN_SETS_MAX is allowed with any.
 */
#ifndef VMRUN_POLICIES_LEARN_H
#define VMRUN_POLICIES_LEARN_H

#include <stdio.h>

#include "devices/core/err.h"
#include "policies/rule.h"

#define LEARN_SETS_MAX 32

/**
 * struct learn_set - Call @nr with arguments that @mask names, one bit each, having these values
 * @count:	How often it was made
 */
struct learn_set {
	int nr;
	unsigned int mask;
	uint64_t value[RULE_ARGS];
	uint64_t count;
};

/** struct learn - Zero-initialised but for @arch and @fds (whether fds tell), ended by learn_done() */
struct learn {
	const struct arch *arch;
	bool fds;
	unsigned int nr;
	struct learn_set *set;
};

/** learn_add() - A call was made */
MUST_CHECK int learn_add(struct learn *l, int nr, const uint64_t args[RULE_ARGS], struct err *err);

/**
 * learn_print() - Write the policy
 *
 * The end of a process is in it in any case: most are killed before they come to it.
 */
void learn_print(const struct learn *l, FILE *out);

/** learn_done() - Free what it holds */
void learn_done(struct learn *l);
#define cleanup_learn __attribute__((cleanup(learn_done)))

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Which rules have decided on the calls that were made
 *
 * A child reads the policies and counts, behind the parser's policy (parser.h); what traces the processes sends it each
 * call by a pipe.
 */
#ifndef VMRUN_CMD_VMRUN_POLICY_STATS_H
#define VMRUN_CMD_VMRUN_POLICY_STATS_H

#include "cmd/vmrun/parser.h"
#include "policies/policy.h"

#define POLICY_STATS_BATCH 32

/** struct policy_stats_group - Calls that are counted together, by the rules of @policy; @name: what is printed */
struct policy_stats_group {
	const char *name;
	const struct policy *policy;
};

/** struct policy_stats_call - One call, on the pipe */
struct policy_stats_call {
	uint32_t group;
	int32_t nr;
	uint64_t args[6];
};

/**
 * struct policy_stats - Zero-initialised but for the groups, @all, @dir and @out
 * @all:	The table has all groups, not just those that made calls
 * @dir:	Where the policies are as text, or NULL: those compiled in
 * @out:	Gets the table: a line for each rule of a group, with its number of calls
 * @from, @to:	The pipe's ends
 */
struct policy_stats {
	unsigned int nr_groups;
	const struct policy_stats_group *group;
	bool all;
	const char *dir;
	int out;
	int from, to;
	struct parser parser;
	unsigned int nr;
	struct policy_stats_call call[POLICY_STATS_BATCH];
};

/** policy_stats_begin() - Start the child */
MUST_CHECK int policy_stats_begin(struct policy_stats *s, struct err *err);

/** policy_stats_add() - A call was made */
MUST_CHECK int policy_stats_add(struct policy_stats *s, unsigned int group, int nr,
				const uint64_t args[6], struct err *err);

/**
 * policy_stats_end() - Have the table written, and wait for the child
 *
 * Return: 0; the child's error, for instance that a policy is wrong
 */
MUST_CHECK int policy_stats_end(struct policy_stats *s, struct err *err);

#endif

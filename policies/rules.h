/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A policy with everything it includes
 */
#ifndef VMRUN_POLICIES_RULES_H
#define VMRUN_POLICIES_RULES_H

#include "devices/core/err.h"
#include "policies/rule.h"

#define RULES_FILES_MAX 64
#define RULES_MAX	2048

/** struct rules_weight - How often a system call is made, from a file of @frequency */
struct rules_weight {
	int nr;
	uint64_t weight;
};

/**
 * struct rules - Zero-initialised but for @arch, ended by rules_done()
 * @arch:	For which its names are looked up
 * @rule:	@nr filters, in the order in which they are tried
 * @nr_statements: Statements so far
 * @otherwise:	SECCOMP_RET_* of what no rule is true of
 * @has_otherwise: A line says so
 * @weight:	@nr_weights of them; a system call may have several, which add up
 * @file:	@nr_files names; those of policies that were read, each time
 */
struct rules {
	const struct arch *arch;
	unsigned int nr;
	struct rule *rule;
	unsigned int nr_statements;
	uint32_t otherwise;
	bool has_otherwise;
	unsigned int nr_weights;
	struct rules_weight *weight;
	unsigned int nr_files;
	char *file[RULES_FILES_MAX];
};

/**
 * rules_append() - Add a filter
 * @new:	Becomes @r's, also when it is refused
 *
 * Refuses what would never be reached, and an unconditional rule of another verdict than conditions in
 * another statement: libseccomp would drop one of the two. With the same verdict it covers them, as
 * minijail has it, and is marked.
 */
MUST_CHECK int rules_append(struct rules *r, struct rule *new, struct err *err);

/** rules_add_weight() - Remember how often a system call is made */
MUST_CHECK int rules_add_weight(struct rules *r, int nr, uint64_t weight, struct err *err);

/**
 * rules_add_file() - Remember a file's name, for messages
 * @ret:	Belongs to @r
 */
MUST_CHECK int rules_add_file(struct rules *r, const char *path, const char **ret, struct err *err);

/**
 * rules_last_of_call() - Whether no later filter is about the call of filter @i
 *
 * There another condition would be added.
 */
MUST_CHECK bool rules_last_of_call(const struct rules *r, unsigned int i);

/** rules_place() - "block.policy:9", where filter @i stands */
void rules_place(const struct rules *r, unsigned int i, char *ret, size_t size);

/** rules_decide() - The rule that decides on a call; NULL: none does, so @otherwise is the verdict */
const struct rule *rules_decide(const struct rules *r, int nr, const uint64_t args[RULE_ARGS]);

/** rules_done() - Free what @r holds; safe on a zeroed or half-filled one */
void rules_done(struct rules *r);
#define cleanup_rules __attribute__((cleanup(rules_done)))

#endif

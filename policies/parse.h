/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The policy language
 *
 * minijail's syntax, reduced to the part that has one meaning everywhere:
 *
 *   file      := { line }                       '#' starts a comment anywhere
 *   line      := '@include' './' NAME           a file in the folder of the including one
 *              | syscall ':' filter
 *   filter    := '1' | 'allow' | 'return' ENAME | dnf
 *   dnf       := clause { '||' clause }         clause := atom { '&&' atom }
 *   atom      := 'argN' op value                N: 0 to 5; op: == != < <= > >= & in
 *   value     := const { '|' const }
 *   const     := ['~' | '-'] ( NAME | number | '(' value ')' )
 *
 * "&" is true when any bit of value is set, "in" when no bit outside value is set. All comparisons
 * are unsigned. A syscall that no line names, and one whose expressions are all false, kills the
 * process. Several expression lines for one syscall are alternatives. Everything else may
 * appear once: libseccomp silently drops an expression beside an unconditional rule, and "return"
 * beside "allow" has no order, so both are errors here. "expr; return E" means opposite things to
 * minijail's two parsers and is refused.
 */
#ifndef VMRUN_POLICIES_PARSE_H
#define VMRUN_POLICIES_PARSE_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "policies/rule.h"

#define RULES_FILES_MAX 16
#define RULES_MAX	512

/** struct rules - A policy with everything it includes; zero-initialised, ended by rules_done() */
struct rules {
	unsigned int nr;
	struct rule *rule;
	unsigned int nr_files;
	char *file[RULES_FILES_MAX];
};

/**
 * rules_load() - Read a policy file and what it includes
 *
 * Errors read "FILE:LINE: what". A policy that allows nothing is an error.
 * Return: 0 or -errno; @r is to be ended in both cases
 */
MUST_CHECK int rules_load(struct rules *r, const char *path, struct err *err);

/**
 * rules_parse() - As rules_load(), the first file's text being in memory
 * @path:	Its name in messages, and whose folder includes are looked up in
 */
MUST_CHECK int rules_parse(struct rules *r, const char *path, const char *text, size_t len,
			   struct err *err);

/** rules_done() - Free what @r holds; safe on a zeroed or half-filled one */
void rules_done(struct rules *r);
#define cleanup_rules __attribute__((cleanup(rules_done)))

#endif

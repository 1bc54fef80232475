/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One filter of a policy: what follows "syscall:" (parse.h has the grammar)
 */
#ifndef VMRUN_POLICIES_EXPR_H
#define VMRUN_POLICIES_EXPR_H

#include "devices/core/err.h"
#include "policies/lex.h"
#include "policies/rule.h"

/**
 * expr_filter() - Read one filter
 * @l:		Its current word is the first of the filter; when the filter is refused, what is wrong with it
 * @a:		Whose constants count, and whose widths of arguments
 * @braces:	Whether it stands in braces, where "; return" has one meaning
 * @rule:	file, line, nr and name are set; verdict and comparisons, which are the caller's to free, are filled in
 *
 * Checks that every comparison can be both true and false in the width the kernel looks at.
 * Return: 0 or -errno, the message without place
 */
MUST_CHECK int expr_filter(struct lex *l, const struct arch *a, bool braces, struct rule *rule,
			   struct err *err);

/** expr_ending() - The name of an action that ends a call: "kill-process" for SECCOMP_RET_KILL_PROCESS */
const char *expr_ending(uint32_t verdict);

/** expr_default() - Read the action of @default: one that ends the call */
MUST_CHECK int expr_default(struct lex *l, uint32_t *ret, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The filter half of a policy line (parse.h has the grammar)
 */
#ifndef VMRUN_POLICIES_EXPR_H
#define VMRUN_POLICIES_EXPR_H

#include "devices/core/err.h"
#include "policies/lex.h"
#include "policies/rule.h"

/**
 * expr_parse_filter() - Read what follows "syscall:", to the end of the line
 * @l:		Its current word is the first of the filter
 * @rule:	file, line and nr are set; kind, errnum and clauses are filled in
 *
 * Checks that every comparison can be both true and false in the width the kernel looks at.
 * Return: 0 or -EINVAL, the message without file and line
 */
MUST_CHECK int expr_parse_filter(struct lex *l, struct rule *rule, struct err *err);

#endif

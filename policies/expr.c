/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/expr.h"

#include <errno.h>

#include "policies/args.h"
#include "policies/constants.h"

#define VALUE_DEPTH_MAX 8

static const struct {
	enum lex_kind kind;
	enum rule_op op;
} ops[] = {
	{LEX_EQ, RULE_EQ}, {LEX_NE, RULE_NE}, {LEX_LT, RULE_LT},   {LEX_LE, RULE_LE},
	{LEX_GT, RULE_GT}, {LEX_GE, RULE_GE}, {LEX_AMP, RULE_ANY},
};

static int expr_bad(const struct lex *l, const char *wanted, struct err *err)
{
	if (l->kind == LEX_END)
		return err_text(err, EINVAL, "%s expected before the end of the line", wanted);
	return err_text(err, EINVAL, "%s expected at \"%.*s\"", wanted,
			(int)(l->len < 40 ? l->len : 40), l->text);
}

static int expr_value(struct lex *l, unsigned int depth, uint64_t *ret, struct err *err);

static int expr_const(struct lex *l, unsigned int depth, uint64_t *ret, struct err *err)
{
	enum lex_kind sign = l->kind;
	int rc;

	if (sign == LEX_TILDE || sign == LEX_MINUS)
		lex_step(l);
	if (l->kind == LEX_NUMBER) {
		*ret = l->number;
		lex_step(l);
	} else if (l->kind == LEX_NAME) {
		if (!constants_find(l->text, l->len, ret))
			return expr_bad(l, "a known constant", err);
		lex_step(l);
	} else if (l->kind == LEX_OPEN && depth < VALUE_DEPTH_MAX) {
		lex_step(l);
		rc = expr_value(l, depth + 1, ret, err);
		if (rc < 0)
			return rc;
		if (l->kind != LEX_CLOSE)
			return expr_bad(l, "\")\"", err);
		lex_step(l);
	} else {
		return expr_bad(l, "a value", err);
	}
	if (sign == LEX_TILDE)
		*ret = ~*ret;
	if (sign == LEX_MINUS)
		*ret = 0 - *ret;
	return 0;
}

static int expr_value(struct lex *l, unsigned int depth, uint64_t *ret, struct err *err)
{
	uint64_t all = 0, one;

	for (;;) {
		int rc = expr_const(l, depth, &one, err);

		if (rc < 0)
			return rc;
		all |= one;
		if (l->kind != LEX_BAR)
			break;
		lex_step(l);
	}
	*ret = all;
	return 0;
}

/*
 * Cut a value to the 32 bits the kernel looks at. Masks may have any upper half; a number to
 * compare with must be a 32-bit one, or a negative one, which callers pass sign-extended.
 */
static int expr_narrow(struct rule_cmp *c, struct err *err)
{
	bool fits = c->value <= UINT32_MAX || (int64_t)c->value == (int32_t)c->value;

	if (c->op != RULE_ANY && c->op != RULE_IN && !fits)
		return err_text(err, EINVAL, "arg%u is 32 bits wide, 0x%llx is not", c->arg,
				(unsigned long long)c->value);
	c->value &= UINT32_MAX;
	return 0;
}

/* A comparison that is always or never true is the author's mistake ("arg1 & O_RDONLY"). */
static int expr_check_sense(const struct rule_cmp *c, uint64_t max, struct err *err)
{
	bool never = (c->op == RULE_ANY && c->value == 0) || (c->op == RULE_LT && c->value == 0) ||
		     (c->op == RULE_GT && c->value == max);
	bool always = (c->op == RULE_IN && c->value == max) ||
		      (c->op == RULE_GE && c->value == 0) || (c->op == RULE_LE && c->value == max);

	if (never || always)
		return err_text(err, EINVAL, "the comparison of arg%u is %s true", c->arg,
				never ? "never" : "always");
	return 0;
}

static int expr_op(struct lex *l, enum rule_op *ret, struct err *err)
{
	if (lex_is(l, "in")) {
		*ret = RULE_IN;
		lex_step(l);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (l->kind == ops[i].kind) {
			*ret = ops[i].op;
			lex_step(l);
			return 0;
		}
	}
	return expr_bad(l, "one of == != < <= > >= & in", err);
}

static int expr_atom(struct lex *l, int nr, struct rule_cmp *ret, struct err *err)
{
	struct rule_cmp c;
	bool is_narrow;
	int rc;

	if (l->kind != LEX_NAME || l->len != 4 || l->text[0] != 'a' || l->text[1] != 'r' ||
	    l->text[2] != 'g' || l->text[3] < '0' || l->text[3] >= '0' + RULE_ARGS)
		return expr_bad(l, "1, allow, return or arg0 to arg5", err);
	c.arg = (unsigned int)(l->text[3] - '0');
	is_narrow = args_is_32bit(nr, c.arg);
	lex_step(l);
	rc = expr_op(l, &c.op, err);
	if (rc < 0)
		return rc;
	rc = expr_value(l, 0, &c.value, err);
	if (rc < 0)
		return rc;
	if (is_narrow) {
		rc = expr_narrow(&c, err);
		if (rc < 0)
			return rc;
	}
	rc = expr_check_sense(&c, is_narrow ? UINT32_MAX : UINT64_MAX, err);
	if (rc < 0)
		return rc;
	*ret = c;
	return 0;
}

static int expr_clause(struct lex *l, int nr, struct rule_clause *ret, struct err *err)
{
	unsigned int seen = 0;

	ret->nr = 0;
	for (;;) {
		struct rule_cmp c;
		int rc = expr_atom(l, nr, &c, err);

		if (rc < 0)
			return rc;
		/* libseccomp takes one comparison per argument, and so RULE_CMPS_MAX suffices. */
		if (seen & (1U << c.arg))
			return err_text(err, EINVAL, "arg%u is compared twice in one && group",
					c.arg);
		seen |= 1U << c.arg;
		ret->cmp[ret->nr++] = c;
		if (l->kind != LEX_AND)
			return 0;
		lex_step(l);
	}
}

static int expr_dnf(struct lex *l, struct rule *rule, struct err *err)
{
	rule->kind = RULE_EXPR;
	for (;;) {
		int rc;

		if (rule->nr_clauses == RULE_CLAUSES_MAX)
			return err_text(err, EINVAL, "more than %d alternatives on one line",
					RULE_CLAUSES_MAX);
		rc = expr_clause(l, rule->nr, &rule->clause[rule->nr_clauses], err);
		if (rc < 0)
			return rc;
		rule->nr_clauses++;
		if (l->kind != LEX_OR)
			return 0;
		lex_step(l);
	}
}

static int expr_return(struct lex *l, struct rule *rule, struct err *err)
{
	rule->kind = RULE_ERRNO;
	lex_step(l);
	if (l->kind == LEX_NAME)
		rule->errnum = constants_errno(l->text, l->len);
	if (!rule->errnum)
		return expr_bad(l, "the name of an errno value", err);
	lex_step(l);
	return 0;
}

int expr_parse_filter(struct lex *l, struct rule *rule, struct err *err)
{
	int rc = 0;

	if (lex_is(l, "allow") || (l->kind == LEX_NUMBER && l->number == 1)) {
		rule->kind = RULE_ALLOW;
		lex_step(l);
	} else if (lex_is(l, "return")) {
		rc = expr_return(l, rule, err);
	} else {
		rc = expr_dnf(l, rule, err);
		if (rc == 0 && !args_known(rule->nr))
			rc = err_text(err, EINVAL,
				      "args.c does not say how wide this syscall's arguments are");
	}
	if (rc < 0)
		return rc;
	if (l->kind == LEX_SEMICOLON)
		return err_text(err, EINVAL, "\"; return\" has two meanings in use and is refused");
	if (l->kind != LEX_END)
		return expr_bad(l, "the end of the line", err);
	return 0;
}

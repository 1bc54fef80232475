/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/expr.h"

#include <errno.h>
#include <stdlib.h>

#include "policies/args.h"
#include "policies/value.h"

static const struct {
	enum lex_kind kind;
	enum rule_op op;
} ops[] = {
	{LEX_EQ, RULE_EQ}, {LEX_NE, RULE_NE}, {LEX_LT, RULE_LT},   {LEX_LE, RULE_LE},
	{LEX_GT, RULE_GT}, {LEX_GE, RULE_GE}, {LEX_AMP, RULE_ANY},
};

static const struct {
	const char *name;
	uint32_t verdict;
	bool ends; /* the call is not made */
} actions[] = {
	{"allow", SECCOMP_RET_ALLOW, false},	  {"kill-process", SECCOMP_RET_KILL_PROCESS, true},
	{"kill", SECCOMP_RET_KILL_PROCESS, true}, {"kill-thread", SECCOMP_RET_KILL_THREAD, true},
	{"trap", SECCOMP_RET_TRAP, true},	  {"user-notify", SECCOMP_RET_USER_NOTIF, true},
	{"log", SECCOMP_RET_LOG, false},	  {"trace", SECCOMP_RET_TRACE, false},
};

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
static int expr_check_sense(const struct rule_cmp *c, struct err *err)
{
	uint64_t max = c->narrow ? UINT32_MAX : UINT64_MAX;
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
	return lex_expected(l, "one of == != < <= > >= & in", err);
}

static int expr_atom(struct lex *l, const struct arch *a, const char *name, struct rule_cmp *ret,
		     struct err *err)
{
	struct rule_cmp c = {0};
	struct lex at;
	int rc;

	if (l->kind != LEX_NAME || l->len != 4 || l->text[0] != 'a' || l->text[1] != 'r' ||
	    l->text[2] != 'g' || l->text[3] < '0' || l->text[3] >= '0' + RULE_ARGS)
		return lex_expected(l, "an action or arg0 to arg5", err);
	c.arg = (uint8_t)(l->text[3] - '0');
	c.narrow = a->narrow || args_is_32bit(name, c.arg);
	lex_step(l);
	rc = expr_op(l, &c.op, err);
	if (rc < 0)
		return rc;
	at = *l;
	rc = value_read(l, a, &c.value, err);
	if (rc < 0)
		return rc;
	if (c.narrow)
		rc = expr_narrow(&c, err);
	if (rc == 0)
		rc = expr_check_sense(&c, err);
	if (rc < 0)
		*l = at;
	*ret = c;
	return rc;
}

static int expr_add(struct rule *rule, const struct rule_cmp *c, struct err *err)
{
	struct rule_cmp *grown;

	if (rule->nr_cmps == RULE_CMPS_MAX)
		return err_text(err, EINVAL, "more than %d comparisons in one filter",
				RULE_CMPS_MAX);
	grown = reallocarray(rule->cmp, rule->nr_cmps + 1, sizeof(*grown));
	if (!grown)
		return err_set(err, ENOMEM, "comparisons");
	rule->cmp = grown;
	rule->cmp[rule->nr_cmps++] = *c;
	return 0;
}

static int expr_dnf(struct lex *l, const struct arch *a, struct rule *rule, struct err *err)
{
	for (;;) {
		struct rule_cmp c;
		int rc = expr_atom(l, a, rule->name, &c, err);

		if (rc < 0)
			return rc;
		c.ends = l->kind != LEX_AND;
		rc = expr_add(rule, &c, err);
		if (rc < 0)
			return rc;
		if (l->kind != LEX_AND && l->kind != LEX_OR)
			return 0;
		lex_step(l);
	}
}

/* The action at the current word: 1, or 0 where there is none */
static int expr_action(struct lex *l, const struct arch *a, uint32_t *ret, struct err *err)
{
	uint32_t errnum;
	int rc;

	if (l->kind == LEX_NUMBER && l->number == 1) {
		*ret = SECCOMP_RET_ALLOW;
		lex_step(l);
		return 1;
	}
	if (lex_is(l, "return")) {
		lex_step(l);
		rc = value_errno(l, a, &errnum, err);
		if (rc < 0)
			return rc;
		*ret = SECCOMP_RET_ERRNO | errnum;
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (lex_is(l, actions[i].name)) {
			*ret = actions[i].verdict;
			lex_step(l);
			return 1;
		}
	}
	return 0;
}

static int expr_action_behind(struct lex *l, const struct arch *a, bool braces, struct rule *rule,
			      struct err *err)
{
	int rc;

	lex_step(l);
	if (lex_is(l, "return") && !braces)
		return err_text(
			err, EINVAL,
			"\"EXPR; return E\" is E if EXPR to one of minijail's parsers, E "
			"unless EXPR to the other: write {EXPR; return E} or {EXPR, return E}");
	rc = expr_action(l, a, &rule->verdict, err);
	if (rc == 0)
		return lex_expected(l, "an action", err);
	return rc < 0 ? rc : 0;
}

int expr_filter(struct lex *l, const struct arch *a, bool braces, struct rule *rule,
		struct err *err)
{
	int rc = expr_action(l, a, &rule->verdict, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rule->verdict = SECCOMP_RET_ALLOW;
	rc = expr_dnf(l, a, rule, err);
	if (rc < 0 || l->kind != LEX_SEMICOLON)
		return rc;
	return expr_action_behind(l, a, braces, rule, err);
}

int expr_default(struct lex *l, uint32_t *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].ends && lex_is(l, actions[i].name)) {
			*ret = actions[i].verdict;
			lex_step(l);
			return 0;
		}
	}
	return lex_expected(l, "kill-process, kill-thread, kill, trap or user-notify", err);
}

const char *expr_ending(uint32_t verdict)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(actions) && actions[i].verdict != verdict)
		i++;
	return i < ARRAY_SIZE(actions) ? actions[i].name : "?";
}

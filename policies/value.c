/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/value.h"

#include <errno.h>
#include <string.h>

#define VALUE_DEPTH_MAX 8
#define VALUE_ERRNO_MAX 4095 /* the kernel takes no larger one */

static int value_list(struct lex *l, const struct arch *a, unsigned int depth, uint64_t *ret,
		      struct err *err);

static int value_name(struct lex *l, const struct arch *a, uint64_t *ret, struct err *err)
{
	if (!constants_find(a->constants, l->text, l->len, ret))
		return err_text(err, EINVAL, "%s has no constant \"%.*s\"", a->name,
				(int)(l->len < 60 ? l->len : 60), l->text);
	lex_step(l);
	return 0;
}

static int value_in_parentheses(struct lex *l, const struct arch *a, unsigned int depth,
				uint64_t *ret, struct err *err)
{
	int rc;

	if (depth == VALUE_DEPTH_MAX)
		return err_text(err, EINVAL, "parentheses nest deeper than %d", VALUE_DEPTH_MAX);
	lex_step(l);
	rc = value_list(l, a, depth + 1, ret, err);
	if (rc < 0)
		return rc;
	if (l->kind != LEX_CLOSE)
		return lex_expected(l, "\")\"", err);
	lex_step(l);
	return 0;
}

static int value_one(struct lex *l, const struct arch *a, unsigned int depth, uint64_t *ret,
		     struct err *err)
{
	enum lex_kind sign = l->kind;
	int rc = 0;

	if (sign == LEX_TILDE || sign == LEX_MINUS)
		lex_step(l);
	if (l->kind == LEX_NUMBER) {
		*ret = l->number;
		lex_step(l);
	} else if (l->kind == LEX_NAME) {
		rc = value_name(l, a, ret, err);
	} else if (l->kind == LEX_OPEN) {
		rc = value_in_parentheses(l, a, depth, ret, err);
	} else {
		rc = lex_expected(l, "a value", err);
	}
	if (sign == LEX_TILDE)
		*ret = ~*ret;
	if (sign == LEX_MINUS)
		*ret = 0 - *ret;
	return rc;
}

static int value_list(struct lex *l, const struct arch *a, unsigned int depth, uint64_t *ret,
		      struct err *err)
{
	uint64_t all = 0, one = 0;

	for (;;) {
		int rc = value_one(l, a, depth, &one, err);

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

int value_read(struct lex *l, const struct arch *a, uint64_t *ret, struct err *err)
{
	return value_list(l, a, 0, ret, err);
}

int value_errno(struct lex *l, const struct arch *a, uint32_t *ret, struct err *err)
{
	uint64_t v = UINT64_MAX;

	if (l->kind == LEX_NUMBER)
		v = l->number;
	else if (l->kind != LEX_NAME || l->text[0] != 'E' || memchr(l->text, '_', l->len) ||
		 !constants_find(a->constants, l->text, l->len, &v))
		return lex_expected(l, "an errno value", err);
	if (v > VALUE_ERRNO_MAX)
		return err_text(err, EINVAL, "an errno value is at most %d", VALUE_ERRNO_MAX);
	lex_step(l);
	*ret = (uint32_t)v;
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/calls.h"

#include <errno.h>
#include <string.h>

/* [arch=NAME,...]: whether @a is among them */
static int calls_arch(struct lex *l, const struct arch *a, bool *ret, struct err *err)
{
	bool is_meant = false;

	lex_step(l);
	if (!lex_is(l, "arch"))
		return lex_expected(l, "\"arch\"", err);
	lex_step(l);
	if (l->kind != LEX_ASSIGN)
		return lex_expected(l, "\"=\"", err);
	do {
		lex_step(l);
		if (l->kind != LEX_NAME || !arch_exists(l->text, l->len))
			return lex_expected(l, "an architecture", err);
		is_meant |= arch_find(l->text, l->len) == a;
		lex_step(l);
	} while (l->kind == LEX_COMMA);
	if (l->kind != LEX_CLOSE_BRACKET)
		return lex_expected(l, "\",\" or \"]\"", err);
	lex_step(l);
	*ret = is_meant;
	return 0;
}

static int calls_add(struct lex *l, const struct arch *a, struct calls *c, struct err *err)
{
	struct call *call = &c->call[c->nr];

	if (c->nr == CALLS_MAX)
		return err_text(err, EINVAL, "more than %d system calls in one statement",
				CALLS_MAX);
	call->nr = arch_syscall(a, l->text, l->len);
	if (call->nr == -1)
		return err_text(err, EINVAL, "unknown system call \"%.*s\"",
				(int)(l->len < 60 ? l->len : 60), l->text);
	if (call->nr < 0)
		return err_text(err, EINVAL, "%s has no system call \"%.*s\"", a->name, (int)l->len,
				l->text);
	memcpy(call->name, l->text, l->len);
	call->name[l->len] = 0;
	c->nr++;
	return 0;
}

static int calls_one(struct lex *l, const struct arch *a, struct calls *c, struct err *err)
{
	struct lex at = *l, behind;
	bool is_meant = true;
	int rc = 0;

	if (l->kind != LEX_NAME)
		return lex_expected(l, "a system call's name", err);
	lex_step(l);
	if (l->kind == LEX_AT)
		return err_text(err, EINVAL,
				"groups of system calls (name@namespace) do not exist here");
	if (l->kind == LEX_OPEN_BRACKET)
		rc = calls_arch(l, a, &is_meant, err);
	if (rc < 0 || !is_meant)
		return rc;
	behind = *l;
	*l = at;
	rc = calls_add(l, a, c, err);
	if (rc == 0)
		*l = behind;
	return rc;
}

int calls_read(struct lex *l, const struct arch *a, struct calls *ret, struct err *err)
{
	bool braces = l->kind == LEX_OPEN_BRACE;
	int rc;

	ret->nr = 0;
	do {
		if (braces)
			lex_step(l);
		rc = calls_one(l, a, ret, err);
	} while (rc == 0 && braces && l->kind == LEX_COMMA);
	if (rc < 0)
		return rc;
	if (braces && l->kind != LEX_CLOSE_BRACE)
		return lex_expected(l, "\",\" or \"}\"", err);
	if (braces)
		lex_step(l);
	if (l->kind != LEX_COLON)
		return lex_expected(l, "\":\"", err);
	lex_step(l);
	return 0;
}

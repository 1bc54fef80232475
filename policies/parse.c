/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/calls.h"
#include "policies/expr.h"
#include "policies/source.h"

#define INCLUDE_DEPTH_MAX 10

/**
 * struct parse - A file being read
 * @depth:	How many files lie above it
 * @line:	How its lines are read
 * @placed:	The error has the place of another file
 */
struct parse {
	struct rules *rules;
	const char *file;
	unsigned int depth;
	int (*line)(struct parse *p, struct lex *l, struct err *err);
	bool placed;
	struct calls calls;
};

/* What was read from @from to where @l is, in one line */
static char *parse_words(const struct lex *from, const struct lex *l)
{
	char *words = malloc((size_t)(l->text - from->text) + 1), *to = words;

	for (const char *c = from->text; words && c < l->text; c++) {
		const bool space = *c == ' ' || *c == '\t' || *c == '\\' || *c == '\r' ||
				   *c == '\n';

		if (!space)
			*to++ = *c;
		else if (to > words && to[-1] != ' ')
			*to++ = ' ';
	}
	while (to > words && to[-1] == ' ')
		to--;
	if (words)
		*to = 0;
	return words;
}

static int parse_one_filter(struct parse *p, struct lex *l, const struct call *call, bool braces,
			    struct err *err)
{
	struct rule rule = {
		.file = p->file,
		.line = l->line,
		.statement = p->rules->nr_statements,
		.nr = call->nr,
	};
	struct lex at = *l;
	int rc;

	memcpy(rule.name, call->name, sizeof(rule.name));
	rc = expr_filter(l, p->rules->arch, braces, &rule, err);
	if (rc == 0) {
		rule.text = parse_words(&at, l);
		rc = rule.text ? 0 : err_set(err, ENOMEM, "a rule");
	}
	if (rc < 0) {
		rule_done(&rule);
		return rc;
	}
	rc = rules_append(p->rules, &rule, err);
	if (rc < 0)
		*l = at;
	return rc;
}

/* One call's filters */
static int parse_filters(struct parse *p, struct lex *l, const struct call *call, struct err *err)
{
	bool braces = l->kind == LEX_OPEN_BRACE;

	do {
		int rc;

		if (braces)
			lex_step(l);
		rc = parse_one_filter(p, l, call, braces, err);
		if (rc < 0)
			return rc;
	} while (braces && l->kind == LEX_COMMA);
	if (!braces)
		return 0;
	if (l->kind != LEX_CLOSE_BRACE)
		return lex_expected(l, "\",\" or \"}\"", err);
	lex_step(l);
	return 0;
}

static int parse_statement(struct parse *p, struct lex *l, struct err *err)
{
	struct lex behind;
	int rc = calls_read(l, p->rules->arch, &p->calls, err);

	if (rc < 0)
		return rc;
	behind = *l;
	p->rules->nr_statements++;
	/* What is meant for other architectures only may name what exists only there. */
	while (p->calls.nr == 0 && l->kind != LEX_END && l->kind != LEX_BAD)
		lex_step(l);
	for (unsigned int i = 0; i < p->calls.nr; i++) {
		*l = behind;
		rc = parse_filters(p, l, &p->calls.call[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A line of a file of @frequency */
static int parse_frequency_line(struct parse *p, struct lex *l, struct err *err)
{
	int rc = calls_read(l, p->rules->arch, &p->calls, err);

	if (rc < 0)
		return rc;
	if (l->kind != LEX_NUMBER)
		return lex_expected(l, "a number", err);
	for (unsigned int i = 0; rc == 0 && i < p->calls.nr; i++)
		rc = rules_add_weight(p->rules, p->calls.call[i].nr, l->number, err);
	lex_step(l);
	return rc;
}

static int parse_default(struct parse *p, struct lex *l, struct err *err)
{
	struct lex at = *l;
	uint32_t verdict;
	int rc = expr_default(l, &verdict, err);

	if (rc < 0)
		return rc;
	if (p->rules->has_otherwise && p->rules->otherwise != verdict) {
		*l = at;
		return err_text(err, EINVAL, "another @default was given before");
	}
	p->rules->otherwise = verdict;
	p->rules->has_otherwise = true;
	return 0;
}

static int parse_lines(struct parse *p, const char *path, const char *text, size_t len,
		       struct err *err)
{
	struct lex l;
	int rc = rules_add_file(p->rules, path, &p->file, err);

	if (rc < 0)
		return rc;
	lex_init(&l, text, len);
	do {
		rc = l.kind == LEX_END ? 0 : p->line(p, &l, err);
		if (rc == 0 && l.kind != LEX_END)
			rc = lex_expected(&l, "the end of the line", err);
	} while (rc == 0 && lex_next_line(&l));
	if (rc < 0 && !p->placed)
		(void)err_wrap(err, "%s:%u:%u", path, l.line, l.column);
	return rc;
}

/* Another file, whose lines are read by @line */
static int parse_other(struct parse *p, struct lex *l,
		       int (*line)(struct parse *p, struct lex *l, struct err *err),
		       struct err *err)
{
	struct parse other = {.rules = p->rules, .depth = p->depth + 1, .line = line};
	cleanup_free char *path = NULL, *text = NULL;
	struct source source;
	int rc;

	lex_path(l);
	path = source_path(p->file, l->text, l->len, err);
	if (!path)
		return -err->code;
	if (other.depth > INCLUDE_DEPTH_MAX)
		return err_text(err, EINVAL, "includes nest deeper than %d", INCLUDE_DEPTH_MAX);
	rc = source_read(path, &source, err);
	if (rc < 0)
		return rc;
	text = source.text;
	rc = parse_lines(&other, path, text, source.len, err);
	p->placed = rc < 0;
	if (rc == 0)
		lex_step(l);
	return rc;
}

static int parse_line(struct parse *p, struct lex *l, struct err *err)
{
	if (l->kind != LEX_AT)
		return parse_statement(p, l, err);
	lex_step(l);
	if (lex_is(l, "include"))
		return parse_other(p, l, parse_line, err);
	if (lex_is(l, "frequency"))
		return parse_other(p, l, parse_frequency_line, err);
	if (lex_is(l, "denylist"))
		return err_text(err, EINVAL,
				"@denylist is refused: a policy lists what is allowed");
	if (!lex_is(l, "default"))
		return lex_expected(l, "include, frequency or default", err);
	lex_step(l);
	return parse_default(p, l, err);
}

static int parse_check_not_empty(const struct rules *r, const char *path, struct err *err)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		const uint32_t action = r->rule[i].verdict & SECCOMP_RET_ACTION_FULL;

		if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
		    action == SECCOMP_RET_TRACE || action == SECCOMP_RET_USER_NOTIF)
			return 0;
	}
	return err_text(err, EINVAL, "%s: allows no system call", path);
}

int parse_text(struct rules *r, const char *path, const char *text, size_t len, struct err *err)
{
	struct parse p = {.rules = r, .line = parse_line};
	int rc;

	r->otherwise = SECCOMP_RET_KILL_PROCESS;
	rc = parse_lines(&p, path, text, len, err);
	return rc < 0 ? rc : parse_check_not_empty(r, path, err);
}

int parse_file(struct rules *r, const char *path, struct err *err)
{
	cleanup_free char *text = NULL;
	struct source source;
	int rc = source_read(path, &source, err);

	if (rc < 0)
		return rc;
	text = source.text;
	return parse_text(r, path, text, source.len, err);
}

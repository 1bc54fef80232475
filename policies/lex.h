/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Words of the policy language, one line at a time
 */
#ifndef VMRUN_POLICIES_LEX_H
#define VMRUN_POLICIES_LEX_H

#include "devices/core/base.h"

enum lex_kind {
	LEX_END, /* end of line, or a comment */
	LEX_BAD, /* no word of the language; text and len name it */
	LEX_NAME,
	LEX_NUMBER,
	LEX_COLON,
	LEX_SEMICOLON,
	LEX_EQ,
	LEX_NE,
	LEX_LT,
	LEX_LE,
	LEX_GT,
	LEX_GE,
	LEX_AND,
	LEX_OR,
	LEX_AMP,
	LEX_BAR,
	LEX_TILDE,
	LEX_MINUS,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_AT, /* "@include" is this and a name */
};

/**
 * struct lex - A line being read, and its current word
 * @next:	What follows the word
 * @end:	End of the line
 * @kind:	The current word
 * @text:	Where it stands in the line; @len bytes, not terminated
 * @number:	Its value when @kind is LEX_NUMBER
 */
struct lex {
	const char *next;
	const char *end;
	enum lex_kind kind;
	const char *text;
	size_t len;
	uint64_t number;
};

/**
 * lex_init() - Start on a line and read its first word
 * @line:	@len bytes without the newline; borrowed while @l is in use
 */
void lex_init(struct lex *l, const char *line, size_t len);

/** lex_step() - Read the next word; stays at LEX_END and LEX_BAD for ever */
void lex_step(struct lex *l);

/** lex_is() - Whether the current word is exactly the name @word */
MUST_CHECK bool lex_is(const struct lex *l, const char *word);

#endif

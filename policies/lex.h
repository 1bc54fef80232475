/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Words of the policy language
 *
 * A statement ends with its line; a backslash before the newline continues it. A comment ends the
 * line it is in, whatever its last character is.
 */
#ifndef VMRUN_POLICIES_LEX_H
#define VMRUN_POLICIES_LEX_H

#include "devices/core/err.h"

enum lex_kind {
	LEX_END, /* end of a line or of the text, or a comment */
	LEX_BAD, /* no word of the language; text and len name it */
	LEX_NAME,
	LEX_NUMBER,
	LEX_COLON,
	LEX_SEMICOLON,
	LEX_COMMA,
	LEX_ASSIGN,
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
	LEX_OPEN_BRACE,
	LEX_CLOSE_BRACE,
	LEX_OPEN_BRACKET,
	LEX_CLOSE_BRACKET,
	LEX_AT, /* "@include" is this and a name */
};

/**
 * struct lex - A text being read, and its current word
 * @next:	What follows the word
 * @end:	End of the text
 * @start:	Beginning of the line of @next, whose number is @line
 * @line:	From 1
 * @kind:	The current word
 * @text:	Where it stands; @len bytes, not terminated
 * @column:	Its place in its line, from 1
 * @number:	Its value when @kind is LEX_NUMBER
 */
struct lex {
	const char *next;
	const char *end;
	const char *start;
	unsigned int line;
	enum lex_kind kind;
	const char *text;
	size_t len;
	unsigned int column;
	uint64_t number;
};

/**
 * lex_init() - Start on a text and read its first word
 * @text:	@len bytes; borrowed while @l is in use
 */
void lex_init(struct lex *l, const char *text, size_t len);

/** lex_step() - Read the next word; stays at LEX_END and LEX_BAD */
void lex_step(struct lex *l);

/** lex_path() - Read what follows the current word, up to white space, as one LEX_NAME */
void lex_path(struct lex *l);

/** lex_next_line() - From LEX_END to the first word of the next line; false at the end of the text */
MUST_CHECK bool lex_next_line(struct lex *l);

/** lex_is() - Whether the current word is exactly the name @word */
MUST_CHECK bool lex_is(const struct lex *l, const char *word);

/** lex_expected() - Say that @wanted is expected at the current word; -EINVAL */
MUST_CHECK int lex_expected(const struct lex *l, const char *wanted, struct err *err);

#endif

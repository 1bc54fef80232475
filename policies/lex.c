/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/lex.h"

#include <errno.h>
#include <string.h>

/* Two-byte words stand before the one-byte words they start with. */
static const struct {
	const char *text;
	enum lex_kind kind;
} marks[] = {
	{"==", LEX_EQ},		 {"!=", LEX_NE},
	{"<=", LEX_LE},		 {">=", LEX_GE},
	{"&&", LEX_AND},	 {"||", LEX_OR},
	{"<", LEX_LT},		 {">", LEX_GT},
	{"&", LEX_AMP},		 {"|", LEX_BAR},
	{":", LEX_COLON},	 {";", LEX_SEMICOLON},
	{",", LEX_COMMA},	 {"=", LEX_ASSIGN},
	{"~", LEX_TILDE},	 {"-", LEX_MINUS},
	{"(", LEX_OPEN},	 {")", LEX_CLOSE},
	{"{", LEX_OPEN_BRACE},	 {"}", LEX_CLOSE_BRACE},
	{"[", LEX_OPEN_BRACKET}, {"]", LEX_CLOSE_BRACKET},
	{"@", LEX_AT},
};

/* Not <ctype.h>: the language must not depend on a locale. */
static bool lex_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool lex_is_word(char c)
{
	return lex_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static unsigned int lex_digit_value(char c)
{
	if (lex_is_digit(c))
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 99;
}

/* Decimal, 0x hexadecimal or 0 octal; false when a digit is foreign to the base or 64 bits
 * overflow. */
static bool lex_number(const char *text, size_t len, uint64_t *ret)
{
	unsigned int base = 10;
	size_t i = 0;
	uint64_t v = 0;

	if (len > 1 && text[0] == '0') {
		base = text[1] == 'x' || text[1] == 'X' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	if (i == len)
		return false;
	for (; i < len; i++) {
		unsigned int d = lex_digit_value(text[i]);

		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return true;
}

static void lex_take(struct lex *l, enum lex_kind kind, size_t len)
{
	l->kind = kind;
	l->len = len;
	l->next = l->text + len;
}

/* A dash belongs to a word between letters, as in kill-process. */
static bool lex_goes_on(const struct lex *l, size_t len)
{
	const char *c = l->text + len;

	if (c == l->end)
		return false;
	if (*c != '-' || lex_is_digit(l->text[0]))
		return lex_is_word(*c);
	return c + 1 < l->end && lex_is_word(c[1]) && !lex_is_digit(c[1]);
}

static void lex_step_word(struct lex *l)
{
	size_t len = 0;

	while (lex_goes_on(l, len))
		len++;
	lex_take(l, LEX_NAME, len);
	if (lex_is_digit(l->text[0]))
		l->kind = lex_number(l->text, len, &l->number) ? LEX_NUMBER : LEX_BAD;
}

/* Bytes of a backslash and the newline after it; 0 where there is none */
static size_t lex_continuation(const struct lex *l)
{
	size_t left = (size_t)(l->end - l->next);

	if (left >= 2 && !memcmp(l->next, "\\\n", 2))
		return 2;
	return left >= 3 && !memcmp(l->next, "\\\r\n", 3) ? 3 : 0;
}

static bool lex_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* To the next word, which may be in the next line after a backslash */
static void lex_skip(struct lex *l)
{
	while (l->next < l->end) {
		size_t more = lex_continuation(l);

		if (more) {
			l->next += more;
			l->start = l->next;
			l->line++;
		} else if (lex_is_space(*l->next)) {
			l->next++;
		} else {
			break;
		}
	}
	l->text = l->next;
	l->column = (unsigned int)(l->text - l->start) + 1;
}

void lex_step(struct lex *l)
{
	if (l->kind == LEX_BAD)
		return;
	lex_skip(l);
	if (l->text == l->end || *l->text == '#' || *l->text == '\n') {
		l->kind = LEX_END;
		l->len = 0;
		return;
	}
	if (lex_is_word(*l->text)) {
		lex_step_word(l);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t len = strlen(marks[i].text);

		if ((size_t)(l->end - l->text) >= len && !memcmp(l->text, marks[i].text, len)) {
			lex_take(l, marks[i].kind, len);
			return;
		}
	}
	lex_take(l, LEX_BAD, 1);
}

void lex_path(struct lex *l)
{
	size_t len = 0;

	lex_skip(l);
	while (l->text + len < l->end && !lex_is_space(l->text[len]) && l->text[len] != '\n')
		len++;
	lex_take(l, LEX_NAME, len);
}

bool lex_next_line(struct lex *l)
{
	const char *newline = memchr(l->next, '\n', (size_t)(l->end - l->next));

	if (!newline)
		return false;
	l->next = newline + 1;
	l->start = l->next;
	l->line++;
	lex_step(l);
	return true;
}

void lex_init(struct lex *l, const char *text, size_t len)
{
	*l = (struct lex){.next = text, .end = text + len, .start = text, .line = 1};
	lex_step(l);
}

bool lex_is(const struct lex *l, const char *word)
{
	return l->kind == LEX_NAME && l->len == strlen(word) && !memcmp(l->text, word, l->len);
}

int lex_expected(const struct lex *l, const char *wanted, struct err *err)
{
	if (l->kind == LEX_END)
		return err_text(err, EINVAL, "%s expected before the end of the line", wanted);
	return err_text(err, EINVAL, "%s expected at \"%.*s\"", wanted,
			(int)(l->len < 60 ? l->len : 60), l->text);
}

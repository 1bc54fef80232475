/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/lex.h"

#include <criterion/criterion.h>
#include <string.h>

struct word {
	enum lex_kind kind;
	const char *text;
};

static void check_words(const char *line, const struct word *word, unsigned int nr)
{
	struct lex l;

	lex_init(&l, line, strlen(line));
	for (unsigned int i = 0; i < nr; i++) {
		cr_assert_eq(l.kind, word[i].kind, "%s: word %u is of kind %d", line, i, l.kind);
		cr_assert(l.len == strlen(word[i].text) && !memcmp(l.text, word[i].text, l.len),
			  "%s: word %u is \"%.*s\"", line, i, (int)l.len, l.text);
		lex_step(&l);
	}
	cr_assert_eq(l.kind, LEX_END, "%s goes on", line);
}

Test(lex, takes_the_longest_word)
{
	static const struct word words[] = {
		{LEX_NAME, "ioctl"}, {LEX_COLON, ":"},	 {LEX_NAME, "arg1"}, {LEX_EQ, "=="},
		{LEX_NAME, "A"},     {LEX_BAR, "|"},	 {LEX_TILDE, "~"},   {LEX_OPEN, "("},
		{LEX_NAME, "B_2"},   {LEX_CLOSE, ")"},	 {LEX_OR, "||"},     {LEX_NAME, "arg2"},
		{LEX_LE, "<="},	     {LEX_MINUS, "-"},	 {LEX_NUMBER, "1"},  {LEX_AND, "&&"},
		{LEX_NAME, "arg3"},  {LEX_AMP, "&"},	 {LEX_NUMBER, "7"},  {LEX_LT, "<"},
		{LEX_GT, ">"},	     {LEX_GE, ">="},	 {LEX_NE, "!="},     {LEX_SEMICOLON, ";"},
		{LEX_AT, "@"},	     {LEX_NAME, "clud"},
	};

	check_words("ioctl:arg1==A|~(B_2)||arg2<=-1 &&\targ3&7 < > >= != ; @clud # x == \001",
		    words, ARRAY_SIZE(words));
}

Test(lex, an_empty_line_and_a_comment_have_no_words)
{
	check_words("", NULL, 0);
	check_words(" \t\r", NULL, 0);
	check_words("# read: 1", NULL, 0);
}

Test(lex, numbers)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} cases[] = {
		{"0", true, 0},
		{"10", true, 10},
		{"017", true, 15},
		{"0x1F", true, 31},
		{"0XffffFFFFffffFFFF", true, UINT64_MAX},
		{"18446744073709551615", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
		{"0x10000000000000000", false, 0},
		{"08", false, 0},
		{"0x", false, 0},
		{"0xg", false, 0},
		{"12ab", false, 0},
		{"1_000", false, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lex l;

		lex_init(&l, cases[i].text, strlen(cases[i].text));
		cr_expect_eq(l.kind, cases[i].good ? LEX_NUMBER : LEX_BAD, "%s", cases[i].text);
		if (cases[i].good)
			cr_expect_eq(l.number, cases[i].value, "%s", cases[i].text);
	}
}

Test(lex, stays_at_what_is_no_word)
{
	static const char *const lines[] = {"!", "\\", "\\ \n", "\"", "\x80", "'"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct lex l;

		lex_init(&l, lines[i], strlen(lines[i]));
		cr_expect_eq(l.kind, LEX_BAD, "%s", lines[i]);
		lex_step(&l);
		cr_expect_eq(l.kind, LEX_BAD, "%s", lines[i]);
	}
}

Test(lex, does_not_read_past_the_line)
{
	struct lex l;

	/* the line ends inside "&&" and inside a name */
	lex_init(&l, "&&", 1);
	cr_expect_eq(l.kind, LEX_AMP);
	lex_step(&l);
	cr_expect_eq(l.kind, LEX_END);
	lex_init(&l, "inn", 2);
	cr_expect(lex_is(&l, "in"));
	cr_expect_not(lex_is(&l, "inn"));
	cr_expect_not(lex_is(&l, "i"));
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

/* part of a program, in no library */
#include "cmd/vmrun/options.c"

struct opts {
	bool flag;
	const char *text;
	uint64_t number;
	uint64_t count;
	uint64_t size;
	struct option_list list;
	const char *choice;
};

static const char *const words[] = {"red", "blue", NULL};

static const struct option_spec table[] = {
	{"flag", 'f', OPTION_FLAG, NULL, "a flag", offsetof(struct opts, flag), NULL},
	{"text", 't', OPTION_STRING, "TEXT", "a text", offsetof(struct opts, text), NULL},
	{"number", 'n', OPTION_NUMBER, "N", "a number", offsetof(struct opts, number), NULL},
	{"count", 'c', OPTION_COUNT, "N", "a count", offsetof(struct opts, count), NULL},
	{"size", 's', OPTION_SIZE, "SIZE", "a size", offsetof(struct opts, size), NULL},
	{"list", 'l', OPTION_LIST, "X", "a list", offsetof(struct opts, list), NULL},
	{"choice", 0, OPTION_STRING, "WORD", NULL, offsetof(struct opts, choice), words},
	{.name = NULL},
};

/* Parse a line of words; the positionals, joined by a blank each, into @rest */
static int parse(const char *line, bool stop, struct opts *o, char *rest, struct err *err)
{
	static char copy[512];
	char *argv[64], *at;
	int argc = 0, first, r;

	*o = (struct opts){0};
	rest[0] = '\0';
	strcpy(copy, line);
	for (at = strtok(copy, " "); at; at = strtok(NULL, " "))
		argv[argc++] = at;
	r = options_parse(table, o, stop, argc, argv, &first, err);
	for (; r == 0 && first < argc; first++) {
		strcat(rest, argv[first]);
		strcat(rest, " ");
	}
	return r;
}

Test(options, every_spelling)
{
	static const char *const lines[] = {
		"--text v",   "--text=v",	   "-t v",     "-t=v", "-text v", "-text=v",
		"a --text v", "--text u --text v", "a b -t v",
	};
	char rest[256];
	struct opts o;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		cr_assert_eq(parse(lines[i], false, &o, rest, &err), 0, "%s: %s", lines[i],
			     err.msg);
		cr_expect_str_eq(o.text, "v", "%s", lines[i]);
	}
}

Test(options, positionals_keep_their_order)
{
	char rest[256];
	struct opts o;
	struct err err;

	cr_assert_eq(parse("a -f b -t v c -n 0 -c 1 -n 5 d", false, &o, rest, &err), 0);
	cr_expect_str_eq(rest, "a b c d ");
	cr_expect(o.flag);
	cr_expect_eq(o.number, 5);
	cr_assert_eq(parse("a -- -f -x", false, &o, rest, &err), 0);
	cr_expect_str_eq(rest, "a -f -x ");
	cr_expect_not(o.flag);
	cr_assert_eq(parse("-f a -f b --unknown", true, &o, rest, &err), 0);
	cr_expect_str_eq(rest, "a -f b --unknown ");
	cr_assert_eq(parse("--text=-f -t -x", false, &o, rest, &err), 0);
	cr_expect_str_eq(o.text, "-x", "a value may look like an option that there is not");
	cr_assert_eq(parse("--text=-f", false, &o, rest, &err), 0);
	cr_expect_str_eq(o.text, "-f");
	cr_expect_not(o.flag);
	cr_assert_eq(parse("- -f", false, &o, rest, &err), 0);
	cr_expect_str_eq(rest, "- ");
	cr_assert_eq(parse("", false, &o, rest, &err), 0);
	cr_expect_str_eq(rest, "");
}

Test(options, sizes_have_units)
{
	static const struct {
		const char *line;
		uint64_t bytes;
	} sizes[] = {
		{"-s 0", 0},
		{"-s 4096", 4096},
		{"--size=1k", 1024},
		{"-s 3K", 3072},
		{"-s 512M", 512ULL << 20},
		{"-s 2g", 2ULL << 30},
		{"-s 1T", 1ULL << 40},
		{"-s 18446744073709551615", UINT64_MAX},
		{"-s 16777215T", 16777215ULL << 40},
	};
	char rest[256];
	struct opts o;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cr_assert_eq(parse(sizes[i].line, false, &o, rest, &err), 0, "%s", err.msg);
		cr_expect_eq(o.size, sizes[i].bytes, "%s", sizes[i].line);
	}
	cr_expect_eq(options_size("1 ", &o.size), -EINVAL);
	cr_expect_eq(options_size("", &o.size), -EINVAL);
}

Test(options, lists_collect)
{
	char line[512] = "", rest[256];
	struct opts o;
	struct err err;

	cr_assert_eq(parse("-l a x --list=b -l c", false, &o, rest, &err), 0);
	cr_assert_eq(o.list.nr, 3);
	cr_expect_str_eq(o.list.item[0], "a");
	cr_expect_str_eq(o.list.item[2], "c");
	for (int i = 0; i < OPTION_LIST_MAX; i++)
		strcat(line, "-l=a ");
	cr_expect_eq(parse(line, false, &o, rest, &err), 0);
	strcat(line, "-l=a");
	cr_expect_eq(parse(line, false, &o, rest, &err), -EINVAL);
}

Test(options, what_is_wrong_is_named)
{
	static const struct {
		const char *line, *word;
	} bad[] = {
		{"--nothing", "--nothing"},
		{"-x", "-x"},
		{"--text", "--text"},
		{"--text=", "--text wants a value"},
		{"-n=", "-n wants a value"},
		{"--text --flag x", "--text wants a value"},
		{"-t -n 1", "-t wants a value"},
		{"-n abc", "-n"},
		{"--number=-1", "--number"},
		{"-n 99999999999999999999", "-n"},
		{"-n 1x", "-n"},
		{"-c 0", "-c wants a number greater than 0"},
		{"--count=00", "--count wants a number greater than 0"},
		{"-s 1X", "-s wants a size"},
		{"-s 1KB", "-s wants a size"},
		{"-s K", "-s wants a size"},
		{"--size=-1", "--size wants a size"},
		{"-s 16777216T", "-s wants a size"},
		{"-s 18446744073709551616", "-s wants a size"},
		{"--flag=maybe", "--flag"},
		{"--choice green", "red blue"},
		{"--t v", "--t"},
	};
	char rest[256];
	struct opts o;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_expect_eq(parse(bad[i].line, false, &o, rest, &err), -EINVAL, "%s", bad[i].line);
		cr_expect(strstr(err.msg, bad[i].word), "%s: %s", bad[i].line, err.msg);
	}
	cr_expect_eq(parse("--flag=false", false, &o, rest, &err), 0);
	cr_expect_not(o.flag);
}

Test(options, help_shows_what_has_words)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	options_help(table, to);
	fflush(to);
	cr_expect(strstr(text, "-t, --text TEXT"), "%s", text);
	cr_expect_not(strstr(text, "--choice"), "%s", text);
	cr_expect_eq(ftell(to), (long)n);
	options_help(NULL, to);
	cr_expect_eq(ftell(to), (long)n, "nothing for an empty table");
	fclose(to);
	free(text);
}

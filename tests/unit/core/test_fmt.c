/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/fmt.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Formats by fmt.c and by the C library, and holds one against the other */
#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[256], theirs[256];                                                       \
		size_t len = fmt_into(ours, sizeof(ours), __VA_ARGS__);                            \
		int want = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                          \
		cr_assert_str_eq(ours, theirs);                                                    \
		cr_assert_eq(len, (size_t)want, "length of \"%s\"", theirs);                       \
	} while (0)

Test(fmt, plain_text_and_strings)
{
	const char not_terminated[3] = {'a', 'b', 'c'};

	SAME("nothing to do");
	SAME("%s and %s", "one", "two");
	SAME("100%% of %c%c", 'x', 'y');
	SAME("[%.*s]", 3, not_terminated);
	SAME("[%.*s]", 0, not_terminated);
	SAME("[%.*s]", 10, "short");
	SAME("[%.*s]", -1, "all of it");
}

Test(fmt, null_string_is_spelled_out)
{
	char buf[32];
	const char *volatile none = NULL;

	fmt_into(buf, sizeof(buf), "[%s]", none);
	cr_assert_str_eq(buf, "[(null)]");
}

Test(fmt, numbers_at_their_limits)
{
	SAME("%d %i %d", 0, -1, 42);
	SAME("%d %d", INT_MIN, INT_MAX);
	SAME("%ld %ld", LONG_MIN, LONG_MAX);
	SAME("%lld %lld", LLONG_MIN, LLONG_MAX);
	SAME("%u %lu %llu", UINT_MAX, ULONG_MAX, ULLONG_MAX);
	SAME("%zu %zx", SIZE_MAX, SIZE_MAX);
	SAME("%x %lx %llx", 0xdeadbeefU, 0xfeedfacecafebeefUL, 0x1ULL);
	SAME("%p", (void *)0x1234);
}

Test(fmt, narrow_arguments_are_narrowed)
{
	SAME("%hhd %hhu %hhx", (signed char)-1, (unsigned char)255, (unsigned char)0x80);
	SAME("%hd %hu %hx", (short)SHRT_MIN, (unsigned short)USHRT_MAX, (unsigned short)0xabcd);
	SAME("%d", (signed char)-5);
}

Test(fmt, width_and_zeros)
{
	SAME("[%5d][%05d][%5d][%05d]", 42, 42, -42, -42);
	SAME("[%1d][%01d]", 12345, -12345);
	SAME("[%02x][%08x][%016llx]", 0xaU, 0xbeefU, 1ULL);
	SAME("[%3u][%03u][%20lu]", 7U, 7U, 7UL);
}

Test(fmt, output_is_cut_and_terminated)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	cr_assert_eq(fmt_into(buf, 4, "%s", "abcdef"), 3);
	cr_assert_arr_eq(buf, "abc\0xxxx", 8);
	memset(buf, 'x', sizeof(buf));
	cr_assert_eq(fmt_into(buf, 1, "%d", 17), 0);
	cr_assert_arr_eq(buf, "\0xxxxxxx", 8);
	memset(buf, 'x', sizeof(buf));
	cr_assert_eq(fmt_into(buf, 0, "%d", 17), 0);
	cr_assert_arr_eq(buf, "xxxxxxxx", 8);
}

Test(fmt, floating_point_is_a_bug, .signal = SIGILL)
{
	char buf[8];

	fmt_into(buf, sizeof(buf), "%f", 1.0);
}

Test(fmt, alternate_form_is_a_bug, .signal = SIGILL)
{
	char buf[8];

	fmt_into(buf, sizeof(buf), "%#x", 1U);
}

static void check_printable(const char *text, const char *want, size_t nr)
{
	char buf[64];

	fmt_into(buf, sizeof(buf), "%s", text);
	cr_expect_eq(fmt_printable(buf), nr, "%s", want);
	cr_expect_str_eq(buf, want);
}

Test(fmt, what_others_wrote_becomes_printable)
{
	check_printable("", "", 0);
	check_printable("caf\xc3\xa9 ~", "caf\xc3\xa9 ~", 6);
	check_printable("\xe2\x82\xac \xf0\x9f\x90\xa7", "\xe2\x82\xac \xf0\x9f\x90\xa7", 3);
	check_printable("tab\there, \x1b[2J, \x7f\r\n", "tab?here, ?[2J, ???", 19);
	check_printable("\xc2\x9b"
			"31m",
			"?31m", 4); /* CSI in one character, and in one byte */
	check_printable("\x9b"
			"31m",
			"?31m", 4);
	check_printable("a\xe2\x80\xae"
			"b\xe2\x80\x8b"
			"c",
			"a?b?c", 5);			       /* turned round, invisible */
	check_printable("\xc0\xaf \xe0\x80\xaf", "?? ???", 6); /* longer than need be */
	check_printable("\xed\xa0\x80 \xf4\x90\x80\x80", "??? ????", 8); /* no characters at all */
	check_printable("cut \xe2\x82", "cut ??", 6);
	check_printable("cut \xf0", "cut ?", 5);
}

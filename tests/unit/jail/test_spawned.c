/* SPDX-License-Identifier: BSD-3-Clause */
/* What a jailed process logs, read line by line and within a budget. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "runtime/jail/spawned.h"
#include "runtime/util/clock.h"

static struct spawned p;
static struct spawned_line line;
static int writer;
static uint64_t at_ns;

static void setup(void)
{
	int fds[2];

	spawned_init(&p);
	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
	p.log = fds[0];
	writer = fds[1];
}

TestSuite(spawned, .init = setup, .timeout = 20);

static void says(const char *text)
{
	cr_assert_eq(write(writer, text, strlen(text)), (ssize_t)strlen(text));
}

static enum spawned_said heard(void)
{
	return spawned_read(&p, false, &line, &at_ns);
}

Test(spawned, a_write_is_a_line_with_its_level)
{
	static const struct {
		const char *said, *text;
		enum log_level level;
	} rows[] = {
		{"E broken\n", "broken", LOG_LEVEL_ERROR},
		{"D a\n", "a", LOG_LEVEL_DEBUG},
		{"I no end", "no end", LOG_LEVEL_INFO},
		{"no level", "no level", LOG_LEVEL_WARN},
		{"I one\nE two\n", "one", LOG_LEVEL_INFO},
		{"W \x1b[2J\t", "?[2J?", LOG_LEVEL_WARN},
		{"\n", "", LOG_LEVEL_WARN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		says(rows[i].said);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(heard(), SPAWNED_LINE);
		cr_expect_str_eq(line.text, rows[i].text);
		cr_expect_eq(line.level, rows[i].level, "%s", rows[i].said);
	}
	cr_expect_eq(heard(), SPAWNED_NOTHING);
}

Test(spawned, a_refused_call_has_a_name_and_explains_the_end)
{
	char how[SPAWNED_HOW_BYTES];

	says("S 1 29 1 80001 0 fffffffffffffffe 0 0\n");
	cr_assert_eq(heard(), SPAWNED_LINE);
	cr_expect_eq(line.level, LOG_LEVEL_WARN);
	cr_expect_str_eq(line.text, "its policy refuses socket(0x1, 0x80001, 0x0, "
				    "0xfffffffffffffffe, 0x0, 0x0)");
	p.status = SIGSYS;
	p.was = 77;
	spawned_describe(&p, how, sizeof(how));
	cr_expect_str_eq(how, "killed by its seccomp policy (SIGSYS): pid 77, "
			      "socket(0x1, 0x80001, 0x0, 0xfffffffffffffffe, 0x0, 0x0)");
	says("S 2 3fffffff 0 0 0 0 0 0\n");
	cr_assert_eq(heard(), SPAWNED_LINE);
	cr_expect(strstr(line.text, "system call 1073741823(0x0,"), "%s", line.text);
}

Test(spawned, what_only_looks_like_a_refused_call_is_a_line)
{
	static const char *const rows[] = {"S\n", "S 1 29\n", "S 1 29 1 2 3 4 5\n",
					   "S 1 29 1 2 3 4 5 x\n", "Some words\n"};
	char how[SPAWNED_HOW_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		says(rows[i]);
		cr_assert_eq(heard(), SPAWNED_LINE);
		cr_expect(!p.refused && !strncmp(line.text, rows[i], strlen(rows[i]) - 1), "%s",
			  line.text);
	}
	p.status = SIGSYS;
	spawned_describe(&p, how, sizeof(how));
	cr_expect_str_eq(how, "killed by its seccomp policy (SIGSYS)");
}

Test(spawned, a_line_that_is_too_long_has_no_second_half)
{
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	says(text);
	says("I next\n");
	cr_assert_eq(heard(), SPAWNED_LINE);
	cr_assert_eq(heard(), SPAWNED_LINE);
	cr_expect_str_eq(line.text, "next");
}

Test(spawned, a_flood_is_left_unread)
{
	const uint64_t begin_ns = clock_ns();
	unsigned int nr = 0;

	do
		says("W again\n");
	while (heard() == SPAWNED_LINE && nr++ < 100000);
	cr_expect_geq(nr, 200);
	cr_expect_leq(nr, 200 + 2 * (1 + (clock_ns() - begin_ns) / 1000000000));
	cr_expect_gt(at_ns, begin_ns);
	cr_expect_leq(at_ns, clock_ns() + 1000000000 / 2 + 1);
	/* What is left of one whose writers are gone is finite. */
	cr_expect_eq(spawned_read(&p, true, &line, &at_ns), SPAWNED_LINE);
}

Test(spawned, the_end)
{
	says("W last\n");
	close(writer);
	cr_expect_eq(heard(), SPAWNED_LINE);
	cr_expect_eq(heard(), SPAWNED_END);
}

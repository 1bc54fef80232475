/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/state/cause.h"

Test(cause, every_cause_has_a_row)
{
	for (int c = 0; c < END_CAUSES; c++) {
		const struct cause *i = cause_info(c);

		cr_assert(i->name && i->meaning, "%d", c);
		cr_expect_eq(cause_from_name(i->name), c, "%s", i->name);
	}
	cr_expect_eq(cause_from_name(NULL), END_NONE);
	cr_expect_eq(cause_from_name("flood"), END_NONE);
}

/* Callers act on these: a change here is a change of the interface */
Test(cause, exit_codes_stay)
{
	static const struct {
		const char *name;
		int code;
	} table[] = {
		{"poweroff", 0},       {"reset", 32},	     {"vmm-killed", 33},
		{"panic", 34},	       {"triple-fault", 36}, {"kvm-error", 37},
		{"device-killed", 38}, {"killed", 137},	     {"supervisor-killed", 137},
		{"oom-killed", 137},   {"exited", 0},	     {"init-lost", 35},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(cause_info(cause_from_name(table[i].name))->exit_code, table[i].code,
			     "%s", table[i].name);
	cr_expect_eq(ARRAY_SIZE(table), END_CAUSES - 1);
}

/* README.md's table is written by hand, from this one */
Test(cause, readme_says_the_same)
{
	static char readme[64 * 1024];
	FILE *f = fopen("README.md", "r");

	cr_assert(f, "run from the top of the tree");
	cr_assert(fread(readme, 1, sizeof(readme) - 1, f) > 0);
	fclose(f);
	for (int c = END_POWEROFF; c < END_CAUSES; c++) {
		char row[64];

		if (c == END_EXITED) /* with the code of the container's process */
			snprintf(row, sizeof(row), "| `exited` | its |");
		else
			snprintf(row, sizeof(row), "| `%s` | %d |", cause_info(c)->name,
				 cause_info(c)->exit_code);
		cr_expect(strstr(readme, row), "no row %s", row);
	}
}

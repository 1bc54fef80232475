/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "runtime/util/signal_names.h"

Test(signal_names, spellings)
{
	static const struct {
		const char *text;
		int sig;
	} table[] = {
		{"15", 15},
		{"TERM", SIGTERM},
		{"SIGTERM", SIGTERM},
		{"sigterm", SIGTERM},
		{"kill", SIGKILL},
		{"0", 0},
		{"64", 64},
		{"Winch", SIGWINCH},
		{"RTMIN", 34},
		{"SIGRTMIN+3", 37},
		{"rtmin+30", 64},
		{"65", -EINVAL},
		{"-9", -EINVAL},
		{"", -EINVAL},
		{"SIG", -EINVAL},
		{"15x", -EINVAL},
		{"RTMIN+31", -EINVAL},
		{"RTMIN-1", -EINVAL},
		{"TERMINATE", -EINVAL},
		{"99999999999999999999", -EINVAL},
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(signal_parse(table[i].text, &err), table[i].sig, "'%s'",
			     table[i].text);
}

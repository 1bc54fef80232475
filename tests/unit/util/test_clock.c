/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "runtime/util/clock.h"

Test(clock, rfc3339)
{
	char t[CLOCK_TEXT_BYTES];

	clock_rfc3339(t, 9);
	cr_expect_eq(strlen(t), strlen("2026-01-02T03:04:05.123456789Z"), "%s", t);
	cr_expect_eq(t[19], '.');
	clock_rfc3339(t, 6);
	cr_expect_eq(strlen(t), strlen("2026-01-02T03:04:05.123456Z"), "%s", t);
	clock_rfc3339(t, 0);
	cr_expect_eq(strlen(t), strlen("2026-01-02T03:04:05Z"), "%s", t);
	cr_expect_eq(t[19], 'Z');
}

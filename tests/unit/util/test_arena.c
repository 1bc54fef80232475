/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/arena.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

Test(arena, has_a_size)
{
	struct arena a = {0};

	cr_expect_eq(arena_init(&a, 0), -EINVAL);
	cr_expect_eq(arena_init(&a, SIZE_MAX), -EINVAL);
	cr_expect_eq(arena_init(&a, SIZE_MAX - 4095), -EINVAL, "rounded up, it would be 0");
	cr_expect_null(a.base);
}

Test(arena, ends_where_it_ends)
{
	struct arena a;
	char *all;

	cr_assert_eq(arena_init(&a, 4096), 0);
	cr_expect_null(arena_alloc(&a, 4097));
	cr_expect_null(arena_alloc(&a, SIZE_MAX));
	all = arena_alloc(&a, 4000);
	cr_assert_not_null(all);
	memset(all, 1, 4000);
	cr_expect_null(arena_alloc(&a, 97));
	cr_expect_null(arena_strndup(&a, "x", SIZE_MAX));
	cr_expect_null(arena_strndup(&a, (const char[96]){0}, 96), "no room for the end of it");
	cr_expect_not_null(arena_strndup(&a, (const char[96]){0}, 95));
	cr_expect_null(arena_strndup(&a, "", 0));
	cr_expect_null(arena_alloc(&a, 1));
	cr_expect_not_null(arena_alloc(&a, 0));
	arena_done(&a);
}

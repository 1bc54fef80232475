/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/util/spec_items.h"

Test(spec_items, head_counts_what_was_added)
{
	static const uint8_t expect[] = {
		AGENT_HOSTNAME, 0, 0, 0, 4, 0, 0, 0, 'b', 'o', 'x', 0, /* one string */
		AGENT_GROUP,	0, 0, 0, 4, 0, 0, 0, 5,	  0,   0,   0, /* one number */
		AGENT_SYSCTL,	0, 0, 0, 4, 0, 0, 0, 'a', 0,   'b', 0, /* two strings */
	};
	cleanup_spec_items struct spec_items s = {.bytes = NULL};
	const uint32_t group = 5;
	struct err err;

	spec_items_begin(&s, AGENT_HOSTNAME);
	spec_items_text(&s, "box");
	spec_items_put(&s, AGENT_GROUP, &group, sizeof(group), NULL);
	spec_items_put(&s, AGENT_SYSCTL, "a", 2, "b");
	cr_assert_eq(spec_items_check(&s, &err), 0);
	cr_assert_eq(s.len, sizeof(expect));
	cr_expect_eq(memcmp(s.bytes, expect, sizeof(expect)), 0);
}

Test(spec_items, grows)
{
	cleanup_spec_items struct spec_items s = {.bytes = NULL};
	static char text[100000];
	struct agent_item head;
	struct err err;

	memset(text, 'x', sizeof(text) - 1);
	spec_items_begin(&s, AGENT_ARG);
	spec_items_text(&s, "first");
	for (unsigned int i = 0; i < 20; i++) {
		spec_items_begin(&s, AGENT_ENV);
		spec_items_text(&s, text);
	}
	cr_assert_eq(spec_items_check(&s, &err), 0);
	cr_expect_eq(s.len, sizeof(head) + 6 + 20 * (sizeof(head) + sizeof(text)));
	memcpy(&head, s.bytes + sizeof(head) + 6, sizeof(head));
	cr_expect_eq(head.type, AGENT_ENV);
	cr_expect_eq(head.bytes, sizeof(text));
	cr_expect_str_eq((char *)s.bytes + s.len - sizeof(text), text);
}

Test(spec_items, refuses_what_is_too_long_and_stays_so)
{
	cleanup_spec_items struct spec_items s = {.bytes = NULL};
	static char text[1 << 20];
	struct err err;

	memset(text, 'x', sizeof(text) - 1);
	for (unsigned int i = 0; i < 20; i++) {
		spec_items_begin(&s, AGENT_ENV);
		spec_items_text(&s, text);
	}
	spec_items_begin(&s, AGENT_HOSTNAME);
	spec_items_text(&s, "box");
	cr_expect_eq(spec_items_check(&s, &err), -E2BIG);
	cr_expect_str_eq(err.msg, "the description of the container is longer than 16 MiB");
	cr_expect_leq(s.len, SPEC_ITEMS_MAX);
}

Test(spec_items, an_item_ends_inside_the_description)
{
	struct agent_item head = {.type = 1, .bytes = 4};
	uint8_t spec[sizeof(head) + 4] = {0};
	struct agent_item got;
	size_t at = 0;

	memcpy(spec, &head, sizeof(head));
	cr_expect_eq(spec_items_next(spec, sizeof(spec), &at, &got), spec + sizeof(head));
	cr_expect_eq(at, sizeof(spec));
	for (size_t bytes = 0; bytes < sizeof(spec); bytes++) {
		at = 0;
		cr_expect_null(spec_items_next(spec, bytes, &at, &got), "%zu bytes", bytes);
		cr_expect_eq(at, 0);
	}
	cr_expect_null(spec_items_next(NULL, 0, &at, &got));
}

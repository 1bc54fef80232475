/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptions: what is taken, and what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <string.h>

#include "cmd/vmrun-init/desc.h"
#include "tests/support/init_rig.h"

static struct rig_spec spec;
static struct desc d;

static int parse(void)
{
	int rc = desc_parse(spec.bytes, spec.len, &d);

	return rc;
}

Test(desc, items_by_type_in_their_order)
{
	const struct agent_hook h = {.nr_args = 2, .nr_env = 1};
	const struct agent_process p = {.uid = 7};
	struct agent_process got;
	char **list;

	rig_text(&spec, AGENT_ARG, "one");
	rig_text(&spec, AGENT_ENV, "A=b");
	rig_item(&spec, AGENT_HOOK, &h, sizeof(h), 4, "/path", "x", "", "E=f");
	rig_text(&spec, AGENT_ARG, "");
	rig_item(&spec, AGENT_PROCESS, &p, sizeof(p), 1, "/cwd");
	rig_text(&spec, AGENT_ARG, "three");
	cr_assert_eq(parse(), 0);
	cr_expect_eq(d.count[AGENT_ARG], 3);
	list = desc_texts(&d, AGENT_ARG);
	cr_expect_str_eq(list[0], "one");
	cr_expect_str_eq(list[1], "");
	cr_expect_str_eq(list[2], "three");
	cr_expect_null(list[3]);
	free(list);
	cr_assert(desc_get(&d, AGENT_PROCESS, 0, &got));
	cr_expect_eq(got.uid, 7);
	cr_expect_str_eq(desc_text(&d, AGENT_PROCESS, 0, 0), "/cwd");
	cr_expect_not(desc_get(&d, AGENT_PROCESS, 1, &got));
	cr_expect_not(desc_get(&d, AGENT_CAPS, 0, &got));
	cr_expect_str_eq(desc_text(&d, AGENT_HOOK, 0, 0), "/path");
	list = desc_list(&d, AGENT_HOOK, 0, 1, 2);
	cr_expect_str_eq(list[0], "x");
	cr_expect_str_eq(list[1], "");
	cr_expect_null(list[2]);
	free(list);
	list = desc_list(&d, AGENT_HOOK, 0, 3, 1);
	cr_expect_str_eq(list[0], "E=f");
	free(list);
	desc_done(&d);
}

Test(desc, one_without_items)
{
	cr_assert_eq(desc_parse(NULL, 0, &d), 0);
	desc_done(&d);
}

Test(desc, cut_anywhere)
{
	const struct agent_hook h = {.nr_args = 1};
	size_t ends[4];

	rig_text(&spec, AGENT_ARG, "one");
	ends[0] = spec.len;
	rig_item(&spec, AGENT_HOOK, &h, sizeof(h), 2, "/path", "x");
	ends[1] = spec.len;
	rig_container(&spec);
	for (size_t len = 0; len <= ends[1]; len++) {
		uint8_t *exact = malloc(len + 1);
		bool whole = len == 0 || len == ends[0] || len == ends[1];

		memcpy(exact, spec.bytes, len);
		cr_expect_eq(desc_parse(exact, len, &d), whole ? 0 : -EINVAL, "%zu", len);
		desc_done(&d);
		free(exact);
	}
}

static void refused(void)
{
	cr_expect_eq(parse(), -EINVAL);
	for (unsigned int t = 0; t < AGENT_ITEM_TYPES; t++)
		cr_expect_eq(d.count[t], 0);
	spec.len = 0;
}

Test(desc, what_breaks_a_rule)
{
	const struct agent_hook h = {.nr_args = UINT32_MAX, .nr_env = 1};
	const struct agent_process p = {0};
	struct {
		struct agent_filter head;
		struct sock_filter code;
	} f = {.head = {.count = 2}};

	rig_item(&spec, 0, NULL, 0, 1, "a");
	refused();
	rig_item(&spec, AGENT_ITEM_TYPES, NULL, 0, 1, "a");
	refused();
	rig_item(&spec, AGENT_ARG, NULL, 0, 0);
	refused();
	rig_item(&spec, AGENT_ARG, NULL, 0, 2, "a", "b");
	refused();
	rig_item(&spec, AGENT_ARG, "abc", 3, 0);
	refused();
	rig_item(&spec, AGENT_ARG, "a\0b", 3, 0);
	refused();
	rig_item(&spec, AGENT_HOOK, &h, sizeof(h), 1, "/path");
	refused();
	rig_item(&spec, AGENT_GROUP, "abcd", 4, 1, "");
	refused();
	rig_item(&spec, AGENT_FILTER, &f, sizeof(f), 0);
	refused();
	f.head.count = UINT32_MAX;
	rig_item(&spec, AGENT_FILTER, &f, sizeof(f), 0);
	refused();
	f.head.count = 0;
	rig_item(&spec, AGENT_FILTER, &f, sizeof(f.head), 0);
	refused();
	/* only one of it */
	rig_item(&spec, AGENT_PROCESS, &p, sizeof(p), 1, "/");
	rig_item(&spec, AGENT_PROCESS, &p, sizeof(p), 1, "/");
	refused();
	rig_text(&spec, AGENT_ARG, "a");
	spec.bytes[2] = 1; /* reserved */
	refused();
	memset(spec.bytes, 0xff, 64);
	spec.len = 64;
	refused();
}

Test(desc, too_large)
{
	cr_expect_eq(desc_parse(spec.bytes, (size_t)DESC_BYTES_MAX + 1, &d), -E2BIG);
}

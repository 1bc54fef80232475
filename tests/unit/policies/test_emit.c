/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/emit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(emit, programs_are_known_by_their_names)
{
	static const struct {
		const char *path;
		bool program;
	} cases[] = {
		{"policies/x86_64/block_device.policy", true},
		{"block_device.policy", true},
		{"a/block_device_vhost_user.policy", true},
		{"vmm_device.policy", true},
		{"rng_device_early.policy", true},
		{"a/common_device.policy", false},
		{"a/block.policy", false},
		{"a/vhost_user.policy", false},
		{"_device.policy", false},
		{"block_device.policy.bak", false},
		{"x_device/block.policy", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_eq(emit_is_program(cases[i].path), cases[i].program, "%s", cases[i].path);
}

Test(emit, a_programs_name_is_the_stem)
{
	cleanup_free char *name = emit_name("policies/x86_64/rng_device.policy");

	cr_expect_str_eq(name, "rng_device");
	cr_expect_null(emit_name("rng_device.txt"));
	cr_expect_null(emit_name(".policy"));
}

Test(emit, writes_a_sorted_table)
{
	struct sock_filter one[] = {{0x06, 0, 0, 0x80000000}};
	char one_rule[] = "arg1 == TCGETS", any[] = "1";
	struct rule rules[] = {
		{.file = "x/common.policy", .line = 3, .nr = 16, .name = "ioctl", .text = one_rule},
		{.file = "x/common.policy", .line = 4, .nr = 0, .name = "read", .text = any},
		{.file = "x/a.policy", .line = 9, .nr = 16, .name = "ioctl", .text = any},
	};
	struct sock_filter two[] = {{0x20, 0, 0, 4}, {0x15, 1, 2, 0xc000003e}};
	struct emit_entry entry[] = {
		{(char *)"b_device", {1, one}, {.nr = 0}},
		{(char *)"a_device", {2, two}, {.nr = ARRAY_SIZE(rules), .rule = rules}},
	};
	cleanup_free char *text = NULL;
	struct err err = {0};
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert(out);
	cr_assert_eq(emit_table(out, entry, 2, &err), 0, "%s", err.msg);
	fclose(out);
	cr_expect(strstr(text, "program0[] = {\n\t{0x20, 0, 0, 0x00000004},\n"
			       "\t{0x15, 1, 2, 0xc000003e},\n};"));
	cr_expect(strstr(text, "lines0[] = {\n\t{0, \"common.policy:4\"},\n"
			       "\t{16, \"a.policy:9\"},\n};"));
	cr_expect(strstr(text, "policies[] = {\n\t{\"a_device\", 2, program0, "
			       "sizeof(lines0) / sizeof(lines0[0]), lines0, rules0},\n"
			       "\t{\"b_device\", 1, program1, "));
	cr_expect(strstr(text, "rules0[] =\n"
			       "\t\"ioctl: arg1 == TCGETS # common.policy:3\\n\"\n"
			       "\t\"read: 1 # common.policy:4\\n\"\n"
			       "\t\"ioctl: 1 # a.policy:9\\n\"\n"
			       "\t\"@default kill-thread\\n\";\n"));
	cr_expect(strstr(text, "nr_policies = 2;"));
}

Test(emit, refuses_one_name_twice)
{
	struct sock_filter one[] = {{0x06, 0, 0, 0x80000000}};
	struct emit_entry entry[] = {
		{(char *)"a_device", {1, one}, {.nr = 0}},
		{(char *)"a_device", {1, one}, {.nr = 0}},
	};
	cleanup_free char *text = NULL;
	struct err err = {0};
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_expect_eq(emit_table(out, entry, 2, &err), -EEXIST);
	fclose(out);
}

Test(emit, says_so_when_the_disk_is_full)
{
	struct sock_filter one[] = {{0x06, 0, 0, 0x80000000}};
	struct emit_entry entry[] = {{(char *)"a_device", {1, one}, {.nr = 0}}};
	struct err err = {0};
	FILE *out = fopen("/dev/full", "we");

	cr_assert(out);
	cr_expect_eq(emit_table(out, entry, 1, &err), -EIO);
	fclose(out);
}

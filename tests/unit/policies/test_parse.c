/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/parse.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int parse(struct rules *r, const char *text, struct err *err)
{
	return rules_parse(r, "dir/p.policy", text, strlen(text), err);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

Test(parse, the_three_kinds_of_rule)
{
	static const char text[] = "# head\n"
				   "read: 1 # why\n"
				   "\n"
				   "write:allow\r\n"
				   "clone3: return ENOSYS\n"
				   "mmap: arg2 in ~PROT_EXEC && arg3 == MAP_SHARED || arg5 >= 0x10";
	struct rules r = {0};
	struct err err = {0};

	cr_assert_eq(parse(&r, text, &err), 0, "%s", err.msg);
	cr_assert_eq(r.nr, 4);
	cr_expect(r.rule[0].nr == SYS_read && r.rule[0].kind == RULE_ALLOW && r.rule[0].line == 2);
	cr_expect(r.rule[1].nr == SYS_write && r.rule[1].kind == RULE_ALLOW);
	cr_expect(r.rule[2].nr == SYS_clone3 && r.rule[2].kind == RULE_ERRNO);
	cr_expect_eq(r.rule[2].errnum, ENOSYS);
	cr_expect(r.rule[3].nr == SYS_mmap && r.rule[3].kind == RULE_EXPR && r.rule[3].line == 6);
	cr_assert_eq(r.rule[3].nr_clauses, 2);
	cr_assert_eq(r.rule[3].clause[0].nr, 2);
	cr_expect(r.rule[3].clause[0].cmp[0].arg == 2 && r.rule[3].clause[0].cmp[0].op == RULE_IN);
	cr_expect_eq(r.rule[3].clause[0].cmp[0].value, ~(uint64_t)PROT_EXEC);
	cr_expect(r.rule[3].clause[0].cmp[1].arg == 3 && r.rule[3].clause[0].cmp[1].op == RULE_EQ);
	cr_assert_eq(r.rule[3].clause[1].nr, 1);
	cr_expect(r.rule[3].clause[1].cmp[0].arg == 5 && r.rule[3].clause[1].cmp[0].op == RULE_GE);
	cr_expect_str_eq(r.rule[3].file, "dir/p.policy");
	rules_done(&r);
}

Test(parse, values)
{
	static const struct {
		const char *line;
		uint64_t value;
	} cases[] = {
		{"lseek: arg1 == 10", 10},
		{"lseek: arg1 == 0x10|010|1", 0x19},
		{"lseek: arg1 == ~0", UINT64_MAX},
		{"lseek: arg1 == -2", (uint64_t)-2},
		{"lseek: arg1 == ~(1|2)|1", ~2ULL},
		{"lseek: arg1 == ((((5))))", 5},
		{"lseek: arg1 == AT_FDCWD", (uint64_t)-100},
		/* narrow parameters: cut to 32 bits, whichever way a number was written */
		{"openat: arg0 == AT_FDCWD", (uint32_t)-100},
		{"openat: arg0 == -100", (uint32_t)-100},
		{"openat: arg2 in ~3", 0xfffffffc},
		{"ioctl: arg1 == 0x80000000", 0x80000000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rules r = {0};
		struct err err = {0};

		cr_assert_eq(parse(&r, cases[i].line, &err), 0, "%s: %s", cases[i].line, err.msg);
		cr_expect_eq(r.rule[0].clause[0].cmp[0].value, cases[i].value, "%s", cases[i].line);
		rules_done(&r);
	}
}

static const struct {
	const char *text;
	const char *message; /* what the error must contain */
} refused[] = {
	{"", "allows no syscall"},
	{"# nothing\n\n", "allows no syscall"},
	{"read: return EPERM", "allows no syscall"},
	{"write: 1\nraed: 1", "dir/p.policy:2: unknown syscall \"raed\""},
	{"socketcall: 1", "this architecture has no syscall \"socketcall\""},
	{"_newselect: 1", "this architecture has no syscall"},
	{"a_name_of_more_than_forty_characters_as_it_happens: 1", "a syscall's name expected"},
	{"7: 1", "a syscall's name expected"},
	{": 1", "a syscall's name expected"},
	{"read", "\":\" expected"},
	{"read 1", "\":\" expected"},
	{"{read, write}: 1", "a syscall's name expected"},
	{"read[arch=x86_64]: 1", "\":\" expected"},
	{"read:", "expected before the end of the line"},
	{"read: 0", "expected at \"0\""},
	{"read: 2", "expected at \"2\""},
	{"read: kill", "expected at \"kill\""},
	{"read: 1 1", "the end of the line expected at \"1\""},
	{"read: 1 \\\n", "the end of the line expected at \"\\\""},
	{"read: return", "the name of an errno value expected"},
	{"read: return 38", "the name of an errno value expected"},
	{"read: return ENOSUCH", "the name of an errno value expected"},
	{"read: return PROT_READ", "the name of an errno value expected"},
	{"ioctl: arg1 == 1; return EPERM", "two meanings"},
	{"ioctl: 1; return EPERM", "two meanings"},
	{"ioctl: arg6 == 1", "arg0 to arg5 expected at \"arg6\""},
	{"ioctl: arg == 1", "expected at \"arg\""},
	{"ioctl: arg11 == 1", "expected at \"arg11\""},
	{"ioctl: ! arg1 == 1", "expected at \"!\""},
	{"ioctl: (arg1 == 1)", "expected at \"(\""},
	{"ioctl: arg1 = 1", "one of =="},
	{"ioctl: arg1", "before the end of the line"},
	{"ioctl: arg1 ==", "a value expected before the end"},
	{"ioctl: arg1 == KVM_RNU", "a known constant expected at \"KVM_RNU\""},
	{"ioctl: arg1 == 1|", "a value expected"},
	{"ioctl: arg1 == ~~1", "a value expected"},
	{"ioctl: arg1 == (1", "\")\" expected"},
	{"ioctl: arg1 == (((((((((1)))))))))", "a value expected at \"(\""},
	{"ioctl: arg1 == 0x1ffffffffffffffff", "a value expected"},
	{"ioctl: arg1 == 1 &&", "arg0 to arg5 expected before the end"},
	{"ioctl: arg1 == 1 || ", "arg0 to arg5 expected before the end"},
	{"ioctl: arg1 == 1 & 2", "the end of the line expected"},
	{"ioctl: arg1 >= 1 && arg1 <= 3", "arg1 is compared twice"},
	{"ioctl: arg1 == 0x100000000", "32 bits wide"},
	{"ioctl: arg1 == -0x80000001", "32 bits wide"},
	{"openat: arg2 & O_RDONLY", "never true"},
	{"openat: arg2 < 0", "never true"},
	{"openat: arg2 > 0xffffffff", "never true"},
	{"openat: arg2 & 0xff00000000", "never true"},
	{"openat: arg2 >= 0", "always true"},
	{"openat: arg2 in ~0", "always true"},
	{"openat: arg2 <= -1", "always true"},
	{"mount: arg3 == 1", "how wide"},
	{"read: 1\nread: 1", "dir/p.policy:2: this syscall has a rule in dir/p.policy:1"},
	{"read: 1\nread: arg0 == 3", "one of the two would be lost"},
	{"read: arg0 == 3\nread: 1", "one of the two would be lost"},
	{"read: arg0 == 3\nread: return EPERM", "one of the two would be lost"},
	{"read: return EPERM\nread: 1", "one of the two would be lost"},
	{"@default kill-process", "@include is the only directive"},
	{"@frequency ./x", "@include is the only directive"},
	{"@include", "@include wants"},
	{"@include x.policy", "@include wants"},
	{"@include /etc/x.policy", "@include wants"},
	{"@include ./", "@include wants"},
	{"@include ../x.policy", "@include wants"},
	{"@include ./sub/x.policy", "@include wants"},
	{"@include ./x.policy", "dir/x.policy: "},
	{"@include ./p.policy", "dir/p.policy"},
};

Test(parse, refuses_with_place_and_reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct rules r = {0};
		struct err err = {0};
		int rc = parse(&r, refused[i].text, &err);

		cr_expect_lt(rc, 0, "accepted: %s", refused[i].text);
		cr_expect_eq(rc, -err.code);
		cr_expect(strstr(err.msg, refused[i].message), "%s: %s", refused[i].text, err.msg);
		cr_expect(strstr(err.msg, "dir/p.policy") == err.msg, "%s", err.msg);
		rules_done(&r);
	}
}

Test(parse, refuses_a_line_with_a_zero_byte)
{
	static const char text[] = "read: 1\nwrite\0: 1\n";
	struct rules r = {0};
	struct err err = {0};

	cr_expect_eq(rules_parse(&r, "p", text, sizeof(text) - 1, &err), -EINVAL);
	rules_done(&r);
}

Test(parse, refuses_too_many_alternatives)
{
	char text[1024] = "ioctl: arg1 == 1";
	struct rules r = {0};
	struct err err = {0};

	for (int i = 0; i < RULE_CLAUSES_MAX; i++)
		strcat(text, " || arg1 == 2");
	cr_expect_eq(parse(&r, text, &err), -EINVAL);
	cr_expect(strstr(err.msg, "alternatives"), "%s", err.msg);
	rules_done(&r);
}

Test(parse, includes_are_relative_and_their_expressions_add_up)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64];
	struct rules r = {0};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "common.policy", "read: 1\nioctl: arg1 == 1\n");
	write_file(dir, "a_device.policy", "@include ./common.policy # first\nioctl: arg1 == 2\n");
	snprintf(path, sizeof(path), "%s/a_device.policy", dir);
	cr_assert_eq(rules_load(&r, path, &err), 0, "%s", err.msg);
	cr_expect_eq(r.nr, 3);
	cr_expect_eq(r.nr_files, 2);
	cr_expect_eq(r.rule[1].nr, SYS_ioctl);
	cr_expect_eq(r.rule[1].line, 2);
	cr_expect(strstr(r.rule[1].file, "/common.policy"));
	cr_expect_eq(r.rule[2].nr, SYS_ioctl);
	rules_done(&r);
}

Test(parse, errors_name_the_included_file)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64];
	struct rules r = {0};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "common.policy", "read: 1\n");
	write_file(dir, "a.policy", "@include ./common.policy\nread: arg0 == 1\n");
	snprintf(path, sizeof(path), "%s/a.policy", dir);
	cr_expect_eq(rules_load(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/a.policy:2: ") && strstr(err.msg, "/common.policy:1,"), "%s",
		  err.msg);
	rules_done(&r);
}

Test(parse, a_file_is_included_once_and_cycles_end)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64];
	struct rules r = {0};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "a.policy", "@include ./b.policy\n");
	write_file(dir, "b.policy", "@include ./a.policy\n");
	snprintf(path, sizeof(path), "%s/a.policy", dir);
	cr_expect_eq(rules_load(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "included twice"), "%s", err.msg);
	rules_done(&r);
}

Test(parse, includes_nest_only_so_deep)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64], name[32], text[64];
	struct rules r = {0};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "%d.policy", i);
		snprintf(text, sizeof(text), "@include ./%d.policy\n", i + 1);
		write_file(dir, name, text);
	}
	write_file(dir, "6.policy", "read: 1\n");
	snprintf(path, sizeof(path), "%s/0.policy", dir);
	cr_expect_eq(rules_load(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "deeper"), "%s", err.msg);
	rules_done(&r);
	snprintf(path, sizeof(path), "%s/2.policy", dir);
	cr_expect_eq(rules_load(&r, path, &err), 0, "%s", err.msg);
	rules_done(&r);
}

Test(parse, refuses_what_is_no_file)
{
	struct rules r = {0};
	struct err err = {0};

	cr_expect_eq(rules_load(&r, "/nonexistent.policy", &err), -ENOENT);
	rules_done(&r);
	cr_expect_eq(rules_load(&r, "/", &err), -EINVAL);
	rules_done(&r);
	cr_expect_eq(rules_load(&r, "/dev/zero", &err), -EINVAL);
	rules_done(&r);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/parse.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "policies/calls.h"

static int parse(struct rules *r, const char *text, struct err *err)
{
	return parse_text(r, "dir/p.policy", text, strlen(text), err);
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
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert_eq(parse(&r, text, &err), 0, "%s", err.msg);
	cr_assert_eq(r.nr, 4);
	cr_expect(r.rule[0].nr == SYS_read && r.rule[0].nr_cmps == 0 && r.rule[0].line == 2);
	cr_expect_eq(r.rule[0].verdict, SECCOMP_RET_ALLOW);
	cr_expect_str_eq(r.rule[0].name, "read");
	cr_expect(r.rule[1].nr == SYS_write && r.rule[1].verdict == SECCOMP_RET_ALLOW);
	cr_expect_eq(r.rule[2].verdict, SECCOMP_RET_ERRNO | ENOSYS);
	cr_expect(r.rule[3].nr == SYS_mmap && r.rule[3].line == 6 && r.rule[3].nr_cmps == 3);
	cr_expect(r.rule[3].cmp[0].arg == 2 && r.rule[3].cmp[0].op == RULE_IN);
	cr_expect_eq(r.rule[3].cmp[0].value, ~(uint64_t)PROT_EXEC);
	cr_expect(r.rule[3].cmp[1].arg == 3 && r.rule[3].cmp[1].op == RULE_EQ);
	cr_expect(!r.rule[3].cmp[0].ends && r.rule[3].cmp[1].ends && r.rule[3].cmp[2].ends);
	cr_expect(r.rule[3].cmp[2].arg == 5 && r.rule[3].cmp[2].op == RULE_GE);
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
		struct rules r = {.arch = arch_native()};
		struct err err = {0};

		cr_assert_eq(parse(&r, cases[i].line, &err), 0, "%s: %s", cases[i].line, err.msg);
		cr_expect_eq(r.rule[0].cmp[0].value, cases[i].value, "%s", cases[i].line);
		rules_done(&r);
	}
}

static const struct {
	const char *text;
	const char *message; /* what the error must contain */
} refused[] = {
	{"", "p.policy: allows no system call"},
	{"# nothing\n\n", "allows no system call"},
	{"read: return EPERM", "allows no system call"},
	{"read: trap", "allows no system call"},
	/* calls */
	{"write: 1\nraed: 1", "dir/p.policy:2:1: unknown system call \"raed\""},
	{"socketcall: 1", "1:1: x86_64 has no system call \"socketcall\""},
	{"_newselect: 1", "x86_64 has no system call"},
	{"a_name_of_more_than_forty_characters_as_it_happens: 1", "unknown system call"},
	{"7: 1", "1:1: a system call's name expected at \"7\""},
	{": 1", "a system call's name expected"},
	{"read", "1:5: \":\" expected before the end of the line"},
	{"read 1", "1:6: \":\" expected at \"1\""},
	{"{read, write: 1", "1:13: \",\" or \"}\" expected at \":\""},
	{"{}: 1", "1:2: a system call's name expected at \"}\""},
	{"{read,}: 1", "a system call's name expected at \"}\""},
	{"{read, raed}: 1", "1:8: unknown system call \"raed\""},
	{"{read, read}: 1", "1:15: read has an unconditional rule in dir/p.policy:1"},
	{"read@group: 1", "name@namespace"},
	{"read[arch=x86_46]: 1", "1:11: an architecture expected at \"x86_46\""},
	{"read[arch=]: 1", "an architecture expected at \"]\""},
	{"read[arch x86_64]: 1", "\"=\" expected at \"x86_64\""},
	{"read[os=linux]: 1", "\"arch\" expected at \"os\""},
	{"read[arch=arm: 1", "\",\" or \"]\" expected at \":\""},
	{"read[arch=arm]: ! 1", "1:17: the end of the line expected at \"!\""},
	/* filters */
	{"read:", "1:6: an action or arg0 to arg5 expected before the end of the line"},
	{"read: 0", "expected at \"0\""},
	{"read: 2", "expected at \"2\""},
	{"read: kill-all", "expected at \"kill-all\""},
	{"read: 1 1", "1:9: the end of the line expected at \"1\""},
	{"read: 1 \\", "the end of the line expected at \"\\\""},
	{"read: 1 \\ \nwrite: 1", "the end of the line expected at \"\\\""},
	{"read: {1", "1:9: \",\" or \"}\" expected before the end"},
	{"read: {}", "1:8: an action or arg0 to arg5 expected at \"}\""},
	{"read: {arg0 == 1,}", "expected at \"}\""},
	{"read: {arg0 == 1} 1", "the end of the line expected at \"1\""},
	{"read: {1, trap}", "1:11: read has an unconditional rule in dir/p.policy:1"},
	{"read: return", "an errno value expected before the end"},
	{"read: return 4096", "1:14: an errno value is at most 4095"},
	{"read: return -1", "an errno value expected at \"-\""},
	{"read: return ENOSUCH", "an errno value expected at \"ENOSUCH\""},
	{"read: return PROT_READ", "an errno value expected"},
	{"read: return EPOLL_CTL_ADD", "an errno value expected"},
	{"ioctl: arg1 == 1; return EPERM", "1:19: \"EXPR; return E\" is E if EXPR to one"},
	{"ioctl: arg1 == 1; arg1 == 2", "1:19: an action expected at \"arg1\""},
	{"ioctl: 1; return EPERM", "1:9: the end of the line expected at \";\""},
	/* expressions */
	{"ioctl: arg6 == 1", "1:8: an action or arg0 to arg5 expected at \"arg6\""},
	{"ioctl: arg == 1", "expected at \"arg\""},
	{"ioctl: arg11 == 1", "expected at \"arg11\""},
	{"ioctl: ! arg1 == 1", "expected at \"!\""},
	{"ioctl: (arg1 == 1)", "expected at \"(\""},
	{"ioctl: arg1 = 1", "1:13: one of == != < <= > >= & in expected at \"=\""},
	{"ioctl: arg1", "before the end of the line"},
	{"ioctl: arg1 ==", "a value expected before the end"},
	{"ioctl: arg1 == 1 || \\\n\t arg1 == KVM_RNU", "2:11: x86_64 has no constant \"KVM_RNU\""},
	{"ioctl: arg1 == 1|", "a value expected"},
	{"ioctl: arg1 == ~~1", "a value expected"},
	{"ioctl: arg1 == (1", "\")\" expected"},
	{"ioctl: arg1 == (((((((((1)))))))))", "parentheses nest deeper"},
	{"ioctl: arg1 == 0x1ffffffffffffffff", "a value expected at \"0x1ffffffffffffffff\""},
	{"ioctl: arg1 == 1 &&", "arg0 to arg5 expected before the end"},
	{"ioctl: arg1 == 1 || ", "arg0 to arg5 expected before the end"},
	{"ioctl: arg1 == 1 & 2", "the end of the line expected"},
	{"ioctl: arg1 == 0x100000000", "1:16: arg1 is 32 bits wide, 0x100000000 is not"},
	{"ioctl: arg1 == -0x80000001", "32 bits wide"},
	{"openat: arg2 & O_RDONLY", "1:16: the comparison of arg2 is never true"},
	{"openat: arg2 < 0", "never true"},
	{"openat: arg2 > 0xffffffff", "never true"},
	{"openat: arg2 & 0xff00000000", "never true"},
	{"openat: arg2 >= 0", "always true"},
	{"openat: arg2 in ~0", "always true"},
	{"openat: arg2 <= -1", "always true"},
	/* what libseccomp would drop */
	{"read: 1\nread: 1", "dir/p.policy:2:7: read has an unconditional rule in dir/p.policy:1"},
	{"read: 1\nread: arg0 == 3", "behind which no other is reached"},
	{"read: arg0 == 3\nread: log", "2:7: read has conditions in dir/p.policy:1; write {"},
	{"read: arg0 == 3\nread: return EPERM", "write {CONDITIONS, ...} in one statement"},
	{"read: return EPERM\nread: 1", "behind which no other is reached"},
	/* directives */
	{"@default allow", "1:10: kill-process, kill-thread, kill, trap or user-notify expected"},
	{"@default log", "expected at \"log\""},
	{"@default trace", "expected at \"trace\""},
	{"@default return EPERM", "expected at \"return\""},
	{"@default", "expected before the end"},
	{"@default trap trap", "the end of the line expected"},
	{"@default trap\n@default kill", "2:10: another @default was given before"},
	{"@denylist", "@denylist is refused"},
	{"@exclude ./x", "include, frequency or default expected at \"exclude\""},
	{"@frequency ./x.frequency", "1:12: dir/x.frequency: "},
	{"@include", "1:9: a path is ./FILE or /FILE, not \"\""},
	{"@include x.policy", "1:10: a path is ./FILE or /FILE, not \"x.policy\""},
	{"@include ./", "a path is"},
	{"@include ../x.policy", "a path is"},
	{"@include ./x.policy", "1:10: dir/x.policy: "},
	{"@include /nonexistent/x.policy", "1:10: /nonexistent/x.policy: "},
};

Test(parse, refuses_with_place_and_reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct rules r = {.arch = arch_native()};
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
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_expect_eq(parse_text(&r, "p", text, sizeof(text) - 1, &err), -EINVAL);
	rules_done(&r);
}

Test(parse, marks_what_covers_conditions_of_the_same_verdict)
{
	static const char text[] = "read: arg0 == 3\nwrite: arg0 == 3\nread: 1";
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert_eq(parse(&r, text, &err), 0, "%s", err.msg);
	cr_expect(!r.rule[0].covered && !r.rule[1].covered);
	cr_expect_str_eq(r.rule[2].covered, "dir/p.policy");
	cr_expect_eq(r.rule[2].covered_line, 1);
	rules_done(&r);
}

Test(parse, refuses_too_many_comparisons)
{
	cleanup_free char *text = calloc(RULE_CMPS_MAX + 2, 16);
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	strcpy(text, "ioctl: arg1 == 1");
	for (int i = 0; i < RULE_CMPS_MAX; i++)
		strcat(text, " || arg1 == 2");
	cr_expect_eq(parse(&r, text, &err), -EINVAL);
	cr_expect(strstr(err.msg, "comparisons"), "%s", err.msg);
	rules_done(&r);
}

Test(parse, messages_are_for_the_architecture_that_is_meant)
{
	static const struct {
		const char *arch, *text, *message;
	} cases[] = {
		{"aarch64", "poll: 1", "p:1:1: aarch64 has no system call \"poll\""},
		{"arm", "mmap: 1", "p:1:1: arm has no system call \"mmap\""},
		{"arm", "ioctl: arg1 == KVM_RUN", "p:1:16: arm has no constant \"KVM_RUN\""},
		{"arm", "mmap2: arg1 == 0x100000000", "arg1 is 32 bits wide"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rules r = {.arch = arch_find(cases[i].arch, strlen(cases[i].arch))};
		struct err err = {0};
		const char *text = cases[i].text;

		cr_expect_eq(parse_text(&r, "p", text, strlen(text), &err), -EINVAL, "%s", text);
		cr_expect(strstr(err.msg, cases[i].message), "%s", err.msg);
		rules_done(&r);
	}
}

Test(parse, includes_are_relative_and_their_expressions_add_up)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64];
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "common.policy", "read: 1\nioctl: arg1 == 1\n");
	write_file(dir, "a_device.policy", "@include ./common.policy # first\nioctl: arg1 == 2\n");
	snprintf(path, sizeof(path), "%s/a_device.policy", dir);
	cr_assert_eq(parse_file(&r, path, &err), 0, "%s", err.msg);
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
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "common.policy", "read: 1\n");
	write_file(dir, "a.policy", "@include ./common.policy\nread: arg0 == 1\n");
	write_file(dir, "b.policy", "write: 1\n@include ./wrong.policy\n");
	write_file(dir, "wrong.policy", "\nread: !\n");
	snprintf(path, sizeof(path), "%s/a.policy", dir);
	cr_expect_eq(parse_file(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/a.policy:2:7: ") && strstr(err.msg, "/common.policy:1,"), "%s",
		  err.msg);
	rules_done(&r);
	snprintf(path, sizeof(path), "%s/b.policy", dir);
	cr_expect_eq(parse_file(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/wrong.policy:2:7: ") && !strstr(err.msg, "b.policy"), "%s",
		  err.msg);
	rules_done(&r);
}

Test(parse, absolute_includes_and_subfolders)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64], text[96];
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sub", dir);
	cr_assert_eq(mkdir(path, 0700), 0);
	write_file(path, "in.policy", "@include ./beside.policy\nread: 1\n");
	write_file(path, "beside.policy", "write: 1\n");
	snprintf(text, sizeof(text), "@include %s/sub/in.policy\n", dir);
	write_file(dir, "a.policy", text);
	write_file(dir, "b.policy", "@include ./sub/in.policy");
	snprintf(path, sizeof(path), "%s/a.policy", dir);
	cr_assert_eq(parse_file(&r, path, &err), 0, "%s", err.msg);
	cr_expect_eq(r.nr, 2);
	rules_done(&r);
	snprintf(path, sizeof(path), "%s/b.policy", dir);
	cr_assert_eq(parse_file(&r, path, &err), 0, "%s", err.msg);
	cr_expect_eq(r.nr, 2);
	rules_done(&r);
}

Test(parse, cycles_end)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64];
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "a.policy", "@include ./b.policy\n");
	write_file(dir, "b.policy", "@include ./a.policy\n");
	snprintf(path, sizeof(path), "%s/a.policy", dir);
	cr_expect_eq(parse_file(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "deeper"), "%s", err.msg);
	rules_done(&r);
	write_file(dir, "b.policy", "@include ./c.policy\n@include ./c.policy\n");
	write_file(dir, "c.policy", "@include ./d.policy\n@include ./d.policy\n");
	write_file(dir, "d.policy", "@include ./e.policy\n@include ./e.policy\n");
	write_file(dir, "e.policy", "@include ./f.policy\n@include ./f.policy\n");
	write_file(dir, "f.policy", "@include ./g.policy\n@include ./g.policy\n");
	write_file(dir, "g.policy", "@include ./h.policy\n@include ./h.policy\n");
	write_file(dir, "h.policy", "read: arg0 == 1\n");
	cr_expect_eq(parse_file(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "more than 64 files"), "%s", err.msg);
	rules_done(&r);
}

Test(parse, includes_nest_only_so_deep)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64], name[32], text[64];
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "%d.policy", i);
		snprintf(text, sizeof(text), "@include ./%d.policy\n", i + 1);
		write_file(dir, name, text);
	}
	write_file(dir, "12.policy", "read: 1\n");
	snprintf(path, sizeof(path), "%s/1.policy", dir);
	cr_expect_eq(parse_file(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/11.policy:1:10: includes nest deeper than 10"), "%s", err.msg);
	rules_done(&r);
	snprintf(path, sizeof(path), "%s/2.policy", dir);
	cr_expect_eq(parse_file(&r, path, &err), 0, "%s", err.msg);
	rules_done(&r);
}

Test(parse, frequencies_add_up)
{
	char dir[] = "/tmp/vmrun-policy-XXXXXX", path[64];
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_assert(mkdtemp(dir));
	write_file(dir, "a.policy",
		   "@frequency ./a.frequency\n@frequency ./a.frequency\nread: 1\n");
	write_file(dir, "a.frequency", "# seen\nread: 3\n{write, close}: 0x10\n");
	snprintf(path, sizeof(path), "%s/a.policy", dir);
	cr_assert_eq(parse_file(&r, path, &err), 0, "%s", err.msg);
	cr_assert_eq(r.nr_weights, 6);
	cr_expect(r.weight[0].nr == SYS_read && r.weight[0].weight == 3);
	cr_expect(r.weight[5].nr == SYS_close && r.weight[5].weight == 16);
	rules_done(&r);
	write_file(dir, "a.frequency", "read: -3\n");
	cr_expect_eq(parse_file(&r, path, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/a.frequency:1:7: a number expected at \"-\""), "%s", err.msg);
	rules_done(&r);
}

Test(parse, refuses_what_is_no_file)
{
	struct rules r = {.arch = arch_native()};
	struct err err = {0};

	cr_expect_eq(parse_file(&r, "/nonexistent.policy", &err), -ENOENT);
	rules_done(&r);
	cr_expect_eq(parse_file(&r, "/", &err), -EINVAL);
	rules_done(&r);
	cr_expect_eq(parse_file(&r, "/dev/zero", &err), -EINVAL);
	rules_done(&r);
}

/* Each limit, one below it and at it */
Test(parse, refuses_more_than_there_is_room_for)
{
	static const struct {
		const char *head, *piece, *tail, *why;
		unsigned int most;
	} limits[] = {
		{"{", "getpid, ", "gettid}: arg0 == 1\n", "system calls in one statement",
		 CALLS_MAX - 1},
		{"", "getpid: arg0 == 1\n", "", "more than 2048 rules", RULES_MAX},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
		for (unsigned int over = 0; over < 2; over++) {
			const size_t room = (limits[i].most + 1) * strlen(limits[i].piece) + 64;
			struct rules r = {.arch = arch_find("x86_64", 6)};
			char *text = calloc(1, room), *at = text;
			struct err err = {0};
			int rc;

			at = stpcpy(at, limits[i].head);
			for (unsigned int k = 0; k < limits[i].most + over; k++)
				at = stpcpy(at, limits[i].piece);
			at = stpcpy(at, limits[i].tail);
			rc = parse_text(&r, "p", text, (size_t)(at - text), &err);
			cr_expect_eq(rc, over ? -EINVAL : 0, "limit %u: %s", i, err.msg);
			cr_expect(!over || strstr(err.msg, limits[i].why), "%s", err.msg);
			rules_done(&r);
			free(text);
		}
	}
}

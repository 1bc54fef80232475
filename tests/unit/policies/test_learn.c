/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Policies learned from calls: as small as they can be, and in words that the parser takes
 */
#include "policies/learn.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "policies/parse.h"
#include "policies/policy.h"
#include "policies/telling.h"

struct made {
	int nr;
	uint64_t args[RULE_ARGS];
};

/* The policy's lines without what is in each of them, and without how often */
static void expect(const struct made *call, unsigned int nr, bool fds, const char *wanted)
{
	cleanup_learn struct learn l = {.arch = arch_native(), .fds = fds};
	cleanup_free char *text = NULL;
	struct rules rules = {.arch = arch_native()};
	struct err err = {0};
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (unsigned int i = 0; i < nr; i++)
		cr_assert_eq(learn_add(&l, call[i].nr, call[i].args, &err), 0);
	learn_print(&l, out);
	fclose(out);
	cr_expect_str_eq(text, wanted);
	cr_expect_eq(parse_text(&rules, "learned", text, len, &err), 0, "%s\n%s", err.msg, text);
	for (unsigned int i = 0; i < nr; i++)
		cr_expect(rules_decide(&rules, call[i].nr, call[i].args), "call %u", i);
	rules_done(&rules);
}

Test(learn, an_argument_that_tells_becomes_a_rule)
{
	const struct made calls[] = {
		{SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 5, 0}},
		{SYS_mmap, {0x7f0000000000, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, 6, 4096}},
		{SYS_mmap, {0, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS}},
		{SYS_read, {3, 0x1000, 8}},
		{SYS_read, {4, 0x2000, 16}},
		{SYS_tgkill, {1, 1, SIGUSR1}},
	};

	expect(calls, ARRAY_SIZE(calls), false,
	       "@default trap\n"
	       "read: 1 # 2 times\n"
	       "mmap: arg2 == PROT_READ && arg3 == MAP_ANONYMOUS|MAP_PRIVATE # 1 times\n"
	       "mmap: arg2 == PROT_READ|PROT_WRITE && arg3 == MAP_SHARED # 2 times\n"
	       "tgkill: arg2 == SIGUSR1 # 1 times\n"
	       "exit_group: 1 # not seen\n");
}

Test(learn, fds_tell_if_they_are_asked)
{
	const struct made calls[] = {
		{SYS_fstat, {7, 0x1000}},
		{SYS_fstat, {8, 0x1000}},
		{SYS_exit_group, {0}},
	};

	expect(calls, ARRAY_SIZE(calls), true,
	       "@default trap\nfstat: arg0 == 7 # 1 times\nfstat: arg0 == 8 # 1 times\n"
	       "exit_group: 1 # 1 times\n");
	expect(calls, ARRAY_SIZE(calls), false,
	       "@default trap\nfstat: 1 # 2 times\nexit_group: 1 # 1 times\n");
}

Test(learn, an_fd_that_is_none_and_a_null_pointer_tell)
{
	const struct made calls[] = {
		{SYS_sendto, {5, 0x1000, 8, MSG_NOSIGNAL, 0, 0}},
		{SYS_openat, {(uint64_t)AT_FDCWD, 0x1000, O_RDONLY | O_CLOEXEC}},
		{SYS_openat, {(uint32_t)AT_FDCWD, 0x1000, O_RDONLY | O_CLOEXEC}},
	};

	expect(calls, ARRAY_SIZE(calls), false,
	       "@default trap\n"
	       "sendto: arg3 == MSG_NOSIGNAL && arg4 == 0 # 1 times\n"
	       "openat: arg0 == AT_FDCWD && arg2 == O_CLOEXEC # 2 times\n"
	       "exit_group: 1 # not seen\n");
}

/* One that sends to an address needs the wider rule, which covers the other. */
Test(learn, a_wider_rule_is_the_only_one)
{
	const struct made calls[] = {
		{SYS_sendto, {5, 0x1000, 8, MSG_NOSIGNAL, 0, 0}},
		{SYS_sendto, {5, 0x1000, 8, MSG_NOSIGNAL, 0x2000, 16}},
		{SYS_sendto, {5, 0x1000, 8, MSG_NOSIGNAL, 0, 0}},
	};

	expect(calls, ARRAY_SIZE(calls), false,
	       "@default trap\nsendto: arg3 == MSG_NOSIGNAL # 3 times\n"
	       "exit_group: 1 # not seen\n");
}

Test(learn, an_argument_with_any_value_is_no_constant)
{
	struct made calls[LEARN_SETS_MAX + 2] = {0};

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = (struct made){SYS_ioctl, {3, 0x10000 + i}};
	expect(calls, ARRAY_SIZE(calls), false,
	       "@default trap\nioctl: 1 # 34 times\nexit_group: 1 # not seen\n");
}

Test(learn, nothing_is_a_policy_that_ends)
{
	expect(NULL, 0, false, "@default trap\nexit_group: 1 # not seen\n");
}

static void expect_name(const char *call, unsigned int arg, uint64_t value, const char *wanted)
{
	cleanup_free char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	telling_print(arch_native(), call, arg, value, out);
	fclose(out);
	cr_expect_str_eq(text, wanted);
}

Test(telling, values_have_the_names_that_people_write)
{
	expect_name("ioctl", 1, 0xae80, "KVM_RUN");
	expect_name("ioctl", 1, 0x400454d0, "TUNSETOFFLOAD");
	expect_name("ioctl", 1, 0x1277, "BLKDISCARD");
	expect_name("ioctl", 1, 0x12345678, "0x12345678");
	expect_name("futex", 1, 128, "FUTEX_WAIT_PRIVATE");
	expect_name("futex", 1, 129, "FUTEX_WAKE_PRIVATE");
	expect_name("fcntl", 1, F_SETFL, "F_SETFL");
	expect_name("fcntl", 1, F_GETFD, "F_GETFD");
	expect_name("clock_gettime", 0, 1, "CLOCK_MONOTONIC");
	expect_name("fallocate", 1, 3, "FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE");
	expect_name("recvmsg", 2, 0x40000000, "MSG_CMSG_CLOEXEC");
	expect_name("sendto", 3, MSG_NOSIGNAL | MSG_DONTWAIT, "MSG_NOSIGNAL|MSG_DONTWAIT");
	expect_name("sendto", 3, MSG_NOSIGNAL | 1ULL << 40, "MSG_NOSIGNAL|0x10000000000");
	expect_name("timerfd_settime", 1, 0, "0");
	expect_name("unlinkat", 2, 0x200, "AT_REMOVEDIR");
	expect_name("getsockopt", 2, SO_PEERCRED, "SO_PEERCRED");
	expect_name("fstat", 0, 7, "7");
}

/* Each value that our policies compare with reads back as itself. */
static void expect_reads_back(const struct rule *r, const struct rule_cmp *c)
{
	cleanup_free char *text = NULL;
	struct rules rules = {.arch = arch_native()};
	struct err err = {0};
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "%s: arg%u == ", r->name, c->arg);
	telling_print(arch_native(), r->name, c->arg, c->value, out);
	fclose(out);
	cr_assert_eq(parse_text(&rules, "one", text, len, &err), 0, "%s: %s", text, err.msg);
	cr_expect_eq(rules.rule[0].cmp[0].value, c->value, "%s", text);
	rules_done(&rules);
}

Test(telling, names_are_read_as_the_values_they_stand_for)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < nr_policies; i++) {
		struct rules r = {.arch = arch_native()};
		struct err err = {0};

		cr_assert_eq(parse_text(&r, policies[i].name, policies[i].rules,
					strlen(policies[i].rules), &err),
			     0, "%s", err.msg);
		for (unsigned int n = 0; n < r.nr; n++) {
			for (unsigned int k = 0; k < r.rule[n].nr_cmps; k++, nr++)
				expect_reads_back(&r.rule[n], &r.rule[n].cmp[k]);
		}
		rules_done(&r);
	}
	cr_expect_gt(nr, 100);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/compile.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "policies/bpf.h"
#include "policies/parse.h"
#include "tests/support/bpf.h"
#include "tests/support/policy_model.h"

static void compile(const char *text, struct rules *r, struct compiled *p)
{
	struct err err = {0};

	cr_assert_eq(parse_text(r, "p", text, strlen(text), &err), 0, "%s", err.msg);
	cr_assert_eq(compile_rules(r, p, &err), 0, "%s: %s", text, err.msg);
}

static uint32_t verdict(const struct compiled *p, int nr, unsigned int arg, uint64_t v)
{
	struct seccomp_data call = {.nr = nr, .arch = AUDIT_ARCH_X86_64};

	call.args[arg] = v;
	return bpf_run(p->insn, p->count, &call);
}

/* One policy each, held against the second implementation of the language's meaning. */
static const char *const policies_text[] = {
	"read: 1",
	"read: 1\nclone3: return ENOSYS\nopenat: return ENOENT",
	/* 64 bits wide */
	"lseek: arg1 == 0x123456789",
	"lseek: arg1 != 0x123456789",
	"lseek: arg1 < 0x123456789",
	"lseek: arg1 <= 0x123456789",
	"lseek: arg1 > 0x123456789",
	"lseek: arg1 >= 0x123456789",
	"lseek: arg1 & 0x8000000100000003",
	"lseek: arg1 in 0x8000000100000003",
	/* 32 bits wide */
	"openat: arg2 == 0x12345678",
	"openat: arg2 != 0x12345678",
	"openat: arg2 != 0",
	"openat: arg2 != -1",
	"openat: arg2 < 0x12345678",
	"openat: arg2 < 1",
	"openat: arg2 <= 0x12345678",
	"openat: arg2 <= 0",
	"openat: arg2 > 0x12345678",
	"openat: arg2 > 0",
	"openat: arg2 >= 0x12345678",
	"openat: arg2 >= 0xffffffff",
	"openat: arg2 >= 0x80000000",
	"openat: arg2 & 0x80000003",
	"openat: arg2 in 0x80000003",
	"openat: arg2 in 0",
	"openat: arg0 == AT_FDCWD",
	/* together */
	"ioctl: arg1 == KVM_RUN || arg1 == KVM_IRQFD\nioctl: arg1 == KVM_IOEVENTFD",
	"mmap: arg2 == PROT_READ|PROT_WRITE && arg3 == MAP_SHARED\nmunmap: 1",
	"mmap: arg2 in ~PROT_EXEC && arg3 & MAP_SHARED|MAP_PRIVATE && arg5 != 0",
	"openat: arg0 == AT_FDCWD && arg2 in O_RDONLY|O_CLOEXEC && arg3 < 5 || arg2 == O_PATH",
	"openat: arg2 & 3 && arg3 & 3\nopenat: arg2 == 4",
	"openat: arg0 == 1\nopenat: arg0 == 1 && arg2 == 2",
	"openat: arg0 == 1 && arg2 == 2\nopenat: arg0 == 1",
	"openat: arg2 in 3\nopenat: arg2 in 1",
	"openat: arg2 == 1 || arg2 == 1",
	"fcntl: arg1 > 5 && arg2 < 9 || arg1 == 2 && arg2 >= 7",
	"lseek: arg1 == 1 || arg1 & 2\nlseek: arg2 == SEEK_END",
};

Test(compile, means_what_the_language_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies_text); i++) {
		struct rules r = {.arch = arch_native()};
		struct compiled p = {0};
		struct seccomp_data call;

		compile(policies_text[i], &r, &p);
		cr_expect_not(policy_model_differs(&r, &p, &call),
			      "%s: syscall %d, arguments %llx %llx %llx %llx", policies_text[i],
			      call.nr, call.args[0], call.args[1], call.args[2], call.args[3]);
		free(p.insn);
		rules_done(&r);
	}
}

Test(compile, the_upper_half_of_an_int_is_not_looked_at)
{
	struct rules r = {.arch = arch_native()};
	struct compiled p = {0};

	compile("ioctl: arg1 == 0x8090ae81\nopenat: arg2 != 0x40", &r, &p);
	cr_expect_eq(verdict(&p, SYS_ioctl, 1, 0x8090ae81), SECCOMP_RET_ALLOW);
	cr_expect_eq(verdict(&p, SYS_ioctl, 1, 0xffffffff8090ae81), SECCOMP_RET_ALLOW);
	cr_expect_eq(verdict(&p, SYS_ioctl, 1, 0x8090ae80), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(verdict(&p, SYS_openat, 2, 0x100000040), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(verdict(&p, SYS_openat, 2, 0x41), SECCOMP_RET_ALLOW);
	free(p.insn);
	rules_done(&r);
}

Test(compile, return_gives_the_errno_and_the_rest_is_killed)
{
	struct rules r = {.arch = arch_native()};
	struct compiled p = {0};

	compile("read: 1\nclone3: return ENOSYS", &r, &p);
	cr_expect_eq(verdict(&p, SYS_clone3, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	cr_expect_eq(verdict(&p, SYS_write, 0, 0), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(verdict(&p, -1, 0, 0), SECCOMP_RET_KILL_PROCESS);
	free(p.insn);
	rules_done(&r);
}

Test(compile, other_architectures_and_x32_are_killed)
{
	static const uint32_t arches[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0,
					  UINT32_MAX};
	struct rules r = {.arch = arch_native()};
	struct compiled p = {0};

	compile("read: 1\nwrite: 1", &r, &p);
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		struct seccomp_data call = {.nr = SYS_read, .arch = arches[i]};

		cr_expect_eq(bpf_run(p.insn, p.count, &call), SECCOMP_RET_KILL_PROCESS, "%x",
			     arches[i]);
	}
	cr_expect_eq(verdict(&p, SYS_write | 0x40000000, 0, 0), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(verdict(&p, SYS_write, 0, 0), SECCOMP_RET_ALLOW);
	free(p.insn);
	rules_done(&r);
}

/* More than a conditional jump reaches: every call is found, each expression tried to its end. */
Test(compile, long_programs)
{
	cleanup_free char *text = calloc(600, 80);
	struct rules r = {.arch = arch_native()};
	struct compiled p = {0};
	struct seccomp_data call;

	for (unsigned int i = 0; i < 400; i++)
		sprintf(text + strlen(text), "lseek: arg1 == %u || arg2 == %u\n", i * 977 + 1, i);
	strcat(text, "read: 1\nwrite: arg1 == 7; trap\n{close, dup, getpid, getuid, uname}: log");
	compile(text, &r, &p);
	cr_expect_gt(p.count, 1000);
	cr_expect_not(policy_model_differs(&r, &p, &call), "%d %llx", call.nr, call.args[1]);
	free(p.insn);
	rules_done(&r);
}

Test(compile, calls_that_are_made_often_are_found_sooner)
{
	static const char text[] = "{read, write, close, fstat, lseek, mmap, munmap, brk, ioctl, "
				   "dup, pause, getpid, sendto, exit, fork, uname}: 1";
	struct rules r = {.arch = arch_native()};
	struct compiled flat = {0}, weighted = {0};
	struct err err = {0};

	cr_assert_eq(parse_text(&r, "p", text, strlen(text), &err), 0, "%s", err.msg);
	cr_assert_eq(compile_rules(&r, &flat, &err), 0);
	cr_assert_eq(rules_add_weight(&r, SYS_uname, UINT64_MAX, &err), 0);
	cr_assert_eq(rules_add_weight(&r, SYS_uname, UINT64_MAX, &err), 0);
	cr_assert_eq(compile_rules(&r, &weighted, &err), 0);
	cr_expect_lt(bpf_steps(weighted.insn, weighted.count, r.arch->audit, SYS_uname),
		     bpf_steps(flat.insn, flat.count, r.arch->audit, SYS_uname));
	free(flat.insn);
	free(weighted.insn);
	rules_done(&r);
}

Test(compile, a_program_larger_than_the_kernel_takes_is_refused)
{
	cleanup_free char *text = calloc(RULES_MAX, 80);
	struct rules r = {.arch = arch_native()};
	struct compiled p = {0};
	struct err err = {0};

	for (unsigned int i = 0; i < RULES_MAX; i++)
		sprintf(text + strlen(text), "lseek: arg1 == %u || arg2 == %u\n", i * 977 + 1, i);
	cr_assert_eq(parse_text(&r, "p", text, strlen(text), &err), 0, "%s", err.msg);
	cr_expect_eq(compile_rules(&r, &p, &err), -E2BIG);
	cr_expect(strstr(err.msg, "BPF instructions"), "%s", err.msg);
	cr_expect_null(p.insn);
	rules_done(&r);
}

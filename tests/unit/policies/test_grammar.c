/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Each production of the policy language, by what the compiled filter says to calls
 *
 * A row is a policy, a call, and the verdict. SOME is allowed by every policy, so that a row can be
 * about a refusal alone.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "policies/compile.h"
#include "policies/parse.h"
#include "tests/support/bpf.h"

#define SOME   "\ngetpid: 1"
#define ALLOW  SECCOMP_RET_ALLOW
#define KILL   SECCOMP_RET_KILL_PROCESS
#define ERR(n) (SECCOMP_RET_ERRNO | (n))

struct row {
	const char *policy;
	const char *call;
	uint64_t arg[3];
	uint32_t verdict;
};

static uint32_t judge(const char *arch, const struct row *row)
{
	struct rules r = {.arch = arch_find(arch, strlen(arch))};
	struct compiled p = {0};
	struct seccomp_data call = {.arch = r.arch->audit};
	struct err err = {0};
	uint32_t verdict;

	call.nr = arch_syscall(r.arch, row->call, strlen(row->call));
	cr_assert(call.nr >= 0, "%s", row->call);
	memcpy(call.args, row->arg, sizeof(row->arg));
	cr_assert_eq(parse_text(&r, "p", row->policy, strlen(row->policy), &err), 0, "%s: %s",
		     row->policy, err.msg);
	cr_assert_eq(compile_rules(&r, &p, &err), 0, "%s: %s", row->policy, err.msg);
	verdict = bpf_run(p.insn, p.count, &call);
	free(p.insn);
	rules_done(&r);
	return verdict;
}

static void check(const char *arch, const struct row *row, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		uint32_t is = judge(arch, &row[i]);

		cr_expect_eq(is, row[i].verdict, "%s\n%s(%lx, %lx, %lx) is 0x%08x on %s",
			     row[i].policy, row[i].call, (unsigned long)row[i].arg[0],
			     (unsigned long)row[i].arg[1], (unsigned long)row[i].arg[2], is, arch);
	}
}

#define PRODUCTION(name, ...)                                                                      \
	Test(grammar, name)                                                                        \
	{                                                                                          \
		static const struct row rows[] = {__VA_ARGS__};                                    \
		check("x86_64", rows, ARRAY_SIZE(rows));                                           \
	}

/* clang-format off */
PRODUCTION(comments,
	{"# a\nread: 1 # b\n#write: 1\n", "read", {0}, ALLOW},
	{"read: 1 #\n#write: 1", "write", {0}, KILL},
	{"read: 1 # ends here \\\nwrite: 1", "write", {0}, ALLOW})
PRODUCTION(continued_lines,
	{"ioctl: arg1 == 1 || \\\n\targ1 == 2", "ioctl", {0, 2}, ALLOW},
	{"read: \\\r\n1\nwrite: 1", "write", {0}, ALLOW},
	{"{read, \\\n write}: \\\n 1", "write", {0}, ALLOW})
PRODUCTION(one, {"read: 1", "read", {0}, ALLOW}, {"read:1", "write", {0}, KILL})
PRODUCTION(allow, {"read: allow", "read", {0}, ALLOW})
PRODUCTION(return_errno,
	{"read: return EPERM" SOME, "read", {0}, ERR(1)},
	{"read: return ENOSYS" SOME, "read", {0}, ERR(38)},
	{"read: return 38" SOME, "read", {0}, ERR(38)},
	{"read: return 0" SOME, "read", {0}, ERR(0)})
PRODUCTION(kill, {"read: kill" SOME, "read", {0}, KILL})
PRODUCTION(kill_process, {"read: kill-process" SOME, "read", {0}, KILL})
PRODUCTION(kill_thread, {"read: kill-thread" SOME, "read", {0}, SECCOMP_RET_KILL_THREAD})
PRODUCTION(trap, {"read: trap" SOME, "read", {0}, SECCOMP_RET_TRAP})
PRODUCTION(log, {"read: log", "read", {0}, SECCOMP_RET_LOG})
PRODUCTION(trace, {"read: trace", "read", {0}, SECCOMP_RET_TRACE})
PRODUCTION(user_notify, {"read: user-notify", "read", {0}, SECCOMP_RET_USER_NOTIF})
PRODUCTION(equal,
	{"lseek: arg1 == 0x100000002", "lseek", {0, 0x100000002}, ALLOW},
	{"lseek: arg1 == 0x100000002", "lseek", {0, 2}, KILL})
PRODUCTION(not_equal,
	{"lseek: arg1 != 0x100000002", "lseek", {0, 0x100000002}, KILL},
	{"lseek: arg1 != 0x100000002", "lseek", {0, 2}, ALLOW})
PRODUCTION(less,
	{"lseek: arg1 < 0x100000002", "lseek", {0, 0x100000001}, ALLOW},
	{"lseek: arg1 < 0x100000002", "lseek", {0, 0xffffffff}, ALLOW},
	{"lseek: arg1 < 0x100000002", "lseek", {0, 0x100000002}, KILL})
PRODUCTION(at_most,
	{"lseek: arg1 <= 0x100000002", "lseek", {0, 0x100000002}, ALLOW},
	{"lseek: arg1 <= 0x100000002", "lseek", {0, 0x200000000}, KILL})
PRODUCTION(greater,
	{"lseek: arg1 > 0x100000002", "lseek", {0, 0x100000003}, ALLOW},
	{"lseek: arg1 > 0x100000002", "lseek", {0, 0x200000000}, ALLOW},
	{"lseek: arg1 > 0x100000002", "lseek", {0, 0xffffffff}, KILL},
	{"lseek: arg1 > 0x100000002", "lseek", {0, UINT64_MAX}, ALLOW})
PRODUCTION(at_least,
	{"lseek: arg1 >= 0x100000002", "lseek", {0, 0x100000002}, ALLOW},
	{"lseek: arg1 >= 0x100000002", "lseek", {0, 0x100000001}, KILL})
PRODUCTION(any_bit,
	{"lseek: arg1 & 0x8000000000000006", "lseek", {0, 4}, ALLOW},
	{"lseek: arg1 & 0x8000000000000006", "lseek", {0, 1ULL << 63}, ALLOW},
	{"lseek: arg1 & 0x8000000000000006", "lseek", {0, 9}, KILL})
PRODUCTION(no_other_bit,
	{"lseek: arg1 in 0x8000000000000006", "lseek", {0, 6}, ALLOW},
	{"lseek: arg1 in 0x8000000000000006", "lseek", {0, 0}, ALLOW},
	{"lseek: arg1 in 0x8000000000000006", "lseek", {0, 7}, KILL},
	{"lseek: arg1 in 0x8000000000000006", "lseek", {0, 1ULL << 62}, KILL})
PRODUCTION(both,
	{"lseek: arg1 == 1 && arg2 == 2", "lseek", {0, 1, 2}, ALLOW},
	{"lseek: arg1 == 1 && arg2 == 2", "lseek", {0, 1, 3}, KILL})
PRODUCTION(both_on_one_argument,
	{"lseek: arg1 >= 5 && arg1 <= 7", "lseek", {0, 6}, ALLOW},
	{"lseek: arg1 >= 5 && arg1 <= 7", "lseek", {0, 8}, KILL},
	{"lseek: arg1 >= 5 && arg1 <= 7", "lseek", {0, 4}, KILL},
	{"openat: arg2 & 2 && arg2 in 3", "openat", {0, 0, 3}, ALLOW},
	{"openat: arg2 & 2 && arg2 in 3", "openat", {0, 0, 6}, KILL})
PRODUCTION(either,
	{"lseek: arg1 == 1 && arg2 == 2 || arg1 == 3", "lseek", {0, 3}, ALLOW},
	{"lseek: arg1 == 1 && arg2 == 2 || arg1 == 3", "lseek", {0, 1, 2}, ALLOW},
	{"lseek: arg1 == 1 && arg2 == 2 || arg1 == 3", "lseek", {0, 1, 3}, KILL})
PRODUCTION(expression_then_action,
	{"lseek: arg1 == 1; trap" SOME, "lseek", {0, 1}, SECCOMP_RET_TRAP},
	{"lseek: arg1 == 1; trap" SOME, "lseek", {0, 2}, KILL},
	{"lseek: arg1 == 1; allow", "lseek", {0, 1}, ALLOW},
	{"lseek: arg1 == 1; 1", "lseek", {0, 1}, ALLOW})
PRODUCTION(filters_in_order,
	{"lseek: {arg1 == 1; return EPERM, arg2 == 1, log}", "lseek", {0, 1, 1}, ERR(1)},
	{"lseek: {arg1 == 1; return EPERM, arg2 == 1, log}", "lseek", {0, 2, 1}, ALLOW},
	{"lseek: {arg1 == 1; return EPERM, arg2 == 1, log}", "lseek", {0, 2, 2}, SECCOMP_RET_LOG},
	{"lseek: {arg1 == 1, return EPERM}", "lseek", {0, 2}, ERR(1)},
	{"lseek: {arg1 == 1, arg1 == 2}", "lseek", {0, 3}, KILL},
	{"lseek: { 1 }", "lseek", {0}, ALLOW})
PRODUCTION(statements_in_order,
	{"lseek: arg1 == 1; trap\nlseek: arg1 in 3", "lseek", {0, 3}, ALLOW},
	{"lseek: arg1 == 1; trap\nlseek: arg1 in 3", "lseek", {0, 1}, SECCOMP_RET_TRAP})
PRODUCTION(several_calls,
	{"{read, write}: 1", "write", {0}, ALLOW},
	{"{read, write}: 1", "read", {0}, ALLOW},
	{"{ pread64 , lseek } : arg1 == 1", "pread64", {0, 1}, ALLOW},
	{"{pread64, lseek}: arg1 == 1", "lseek", {0, 2}, KILL},
	{"{read}: 1", "read", {0}, ALLOW})
PRODUCTION(constants_by_name,
	{"mmap: arg2 == PROT_WRITE", "mmap", {0, 0, 2}, ALLOW},
	{"openat: arg0 == AT_FDCWD", "openat", {0xffffffffffffff9c}, ALLOW})
PRODUCTION(complement,
	{"mmap: arg2 in ~PROT_EXEC", "mmap", {0, 0, 3}, ALLOW},
	{"mmap: arg2 in ~PROT_EXEC", "mmap", {0, 0, 4}, KILL},
	{"lseek: arg1 == ~(1|2)", "lseek", {0, ~3ULL}, ALLOW})
PRODUCTION(joined,
	{"mmap: arg2 == PROT_READ|PROT_WRITE", "mmap", {0, 0, 3}, ALLOW},
	{"mmap: arg2 == PROT_READ | 4", "mmap", {0, 0, 5}, ALLOW})
PRODUCTION(hexadecimal, {"lseek: arg1 == 0xfF", "lseek", {0, 255}, ALLOW})
PRODUCTION(octal, {"lseek: arg1 == 0644", "lseek", {0, 420}, ALLOW})
PRODUCTION(decimal, {"lseek: arg1 == 10", "lseek", {0, 10}, ALLOW})
PRODUCTION(negative, {"lseek: arg1 == -2", "lseek", {0, (uint64_t)-2}, ALLOW})
PRODUCTION(parentheses, {"lseek: arg1 == (1|(2|4))", "lseek", {0, 7}, ALLOW})
PRODUCTION(architectures,
	{"read[arch=x86_64]: 1", "read", {0}, ALLOW},
	{"read[arch=arm64,arm]: 1" SOME, "read", {0}, KILL},
	{"{read[arch=arm, x86_64], write[arch=arm]}: 1", "read", {0}, ALLOW},
	{"{read[arch=x86_64], write[arch=arm]}: 1", "write", {0}, KILL},
	{"mmap2[arch=arm]: arg2 == NO_SUCH_CONSTANT" SOME, "mmap", {0}, KILL})
PRODUCTION(default_action,
	{"@default trap\nread: 1", "write", {0}, SECCOMP_RET_TRAP},
	{"read: arg0 == 1\n@default kill-thread", "read", {2}, SECCOMP_RET_KILL_THREAD},
	{"@default kill\nread: 1", "write", {0}, KILL},
	{"@default kill-process\nread: 1", "write", {0}, KILL},
	{"@default user-notify\nread: 1", "write", {0}, SECCOMP_RET_USER_NOTIF})
/* clang-format on */

Test(grammar, other_architectures)
{
	static const struct row arm[] = {
		{"mmap2: arg2 in ~PROT_EXEC", "mmap2", {0, 0, 3}, ALLOW},
		/* Registers have 32 bits: what the upper half has cannot matter. */
		{"mmap2: arg2 == 1", "mmap2", {0, 0, 1ULL << 32 | 1}, ALLOW},
		{"openat: arg2 & O_DIRECT", "openat", {0, 0, 0x10000}, ALLOW},
		{"fcntl64[arch=arm]: 1", "fcntl64", {0}, ALLOW},
	};
	static const struct row arm64[] = {
		{"openat: arg2 & O_DIRECT", "openat", {0, 0, 0x10000}, ALLOW},
		{"openat[arch=arm64]: 1", "openat", {0}, ALLOW},
		{"openat[arch=aarch64]: 1", "openat", {0}, ALLOW},
	};

	check("arm", arm, ARRAY_SIZE(arm));
	check("aarch64", arm64, ARRAY_SIZE(arm64));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Programs of /linux/seccomp, loaded into this machine's kernel, which has the last word on what they mean
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/config/bundle_types.h"
#include "runtime/plan/plan_seccomp.h"
#include "tests/support/bundle_rig.h"

#define ALLOW(rules)	   "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" rules "]"
#define NAMES(names, more) "{\"names\":[" names "]," more "}"
#define PERSONALITY(op, value, two)                                                                \
	NAMES("\"personality\"",                                                                   \
	      "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":7,\"args\":[{"                           \
	      "\"index\":0,\"op\":\"" op "\",\"value\":" #value ",\"valueTwo\":" #two "}]")

static int make(const char *seccomp, struct agent_filter **ret, size_t *ret_bytes, struct err *err)
{
	struct bundle *b;
	char text[4096];
	int rc;

	snprintf(
		text, sizeof(text),
		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":{%s}}}",
		seccomp);
	b = good(text);
	rc = plan_seccomp_make(&b->linux_.inside.seccomp, ret, ret_bytes, err);
	bundle_free(b);
	return rc;
}

/* What personality(@arg) gives under the filter: its errno, 0, or 1000 + the signal that it dies of */
static int under(const char *seccomp, unsigned long arg)
{
	struct agent_filter *f = NULL;
	struct sock_fprog prog;
	struct err err;
	size_t bytes;
	int status;
	pid_t pid;

	cr_assert(make(seccomp, &f, &bytes, &err) == 0, "%s: %s", seccomp, err.msg);
	cr_assert_not_null(f);
	cr_assert_eq(bytes, sizeof(*f) + f->count * sizeof(struct sock_filter));
	prog = (struct sock_fprog){.len = (unsigned short)f->count, .filter = (void *)(f + 1)};
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &prog) < 0)
			_exit(99);
		_exit(syscall(SYS_personality, arg) < 0 ? errno : 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	free(f);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

Test(seccomp, actions)
{
	static const struct {
		const char *action;
		int result;
	} actions[] = {
		{"\"action\":\"SCMP_ACT_ERRNO\"", EPERM},
		{"\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38", ENOSYS},
		{"\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":0", 0},
		{"\"action\":\"SCMP_ACT_KILL\"", 1000 + SIGSYS},
		{"\"action\":\"SCMP_ACT_KILL_PROCESS\"", 1000 + SIGSYS},
		{"\"action\":\"SCMP_ACT_KILL_THREAD\"", 1000 + SIGSYS},
		{"\"action\":\"SCMP_ACT_TRAP\"", 1000 + SIGSYS},
		{"\"action\":\"SCMP_ACT_LOG\"", 0},
		/* without a tracer */
		{"\"action\":\"SCMP_ACT_TRACE\"", ENOSYS},
	};
	char text[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(actions); i++) {
		snprintf(text, sizeof(text), ALLOW("{\"names\":[\"personality\"],%s}"),
			 actions[i].action);
		cr_expect_eq(under(text, 0xffffffff), actions[i].result, "%s", text);
	}
}

Test(seccomp, operators)
{
	static const struct {
		const char *text;
		unsigned long hit, miss;
	} ops[] = {
		{ALLOW(PERSONALITY("SCMP_CMP_NE", 4294967295, 0)), 0, 4294967295},
		{ALLOW(PERSONALITY("SCMP_CMP_LT", 5, 0)), 4, 4294967295},
		{ALLOW(PERSONALITY("SCMP_CMP_LE", 5, 0)), 5, 4294967295},
		{ALLOW(PERSONALITY("SCMP_CMP_EQ", 5, 0)), 5, 4294967295},
		{ALLOW(PERSONALITY("SCMP_CMP_GE", 5, 0)), 5, 4},
		{ALLOW(PERSONALITY("SCMP_CMP_GT", 5, 0)), 6, 5},
		{ALLOW(PERSONALITY("SCMP_CMP_MASKED_EQ", 240, 48)), 63, 4294967295},
		/* two conditions for one argument: either */
		{ALLOW(NAMES(
			 "\"personality\"",
			 "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":7,\"args\":[{\"index\":0,"
			 "\"op\":\"SCMP_CMP_EQ\",\"value\":5},{\"index\":0,\"op\":\"SCMP_CMP_EQ\","
			 "\"value\":6}]")),
		 6, 4294967295},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		cr_expect_eq(under(ops[i].text, ops[i].hit), 7, "%s", ops[i].text);
		cr_expect_neq(under(ops[i].text, ops[i].miss), 7, "%s", ops[i].text);
	}
}

Test(seccomp, the_default)
{
	static const char *const but = "\"exit_group\",\"rt_sigreturn\"";
	char text[512];

	snprintf(text, sizeof(text),
		 "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
		 "{\"names\":[%s,\"no_such_call\",\"\"],\"action\":\"SCMP_ACT_ALLOW\"}]",
		 but);
	cr_expect_eq(under(text, 0xffffffff), ENOSYS);
	cr_expect_eq(under("\"defaultAction\":\"SCMP_ACT_ALLOW\"", 0xffffffff), 0);
}

Test(seccomp, architectures_and_flags)
{
	struct agent_filter *f = NULL, *one = NULL;
	struct err err;
	size_t bytes;

	cr_assert_eq(make(ALLOW(PERSONALITY("SCMP_CMP_EQ", 5, 0)), &one, &bytes, &err), 0);
	cr_assert_eq(
		make("\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
		     "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\","
		     "\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]," ALLOW(PERSONALITY("SCMP_CMP_EQ", 5, 0)),
		     &f, &bytes, &err),
		0, "%s", err.msg);
	cr_expect_gt(f->count, one->count, "more architectures, more instructions");
	cr_expect_eq(f->flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	free(f);
	free(one);
	cr_expect_eq(make("\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_Z80\"]," ALLOW(""),
			  &f, &bytes, &err),
		     -EINVAL);
	cr_expect_str_eq(err.msg,
			 "/linux/seccomp/architectures/1: SCMP_ARCH_Z80 is no architecture");
	cr_expect_eq(make("\"architectures\":[\"x86\"]," ALLOW(""), &f, &bytes, &err), -EINVAL);
}

Test(seccomp, none_is_no_program)
{
	struct agent_filter *f = (void *)1;
	struct err err;
	size_t bytes = 1;

	cr_assert_eq(make("", &f, &bytes, &err), 0);
	cr_expect_null(f);
	cr_expect_eq(bytes, 0);
}

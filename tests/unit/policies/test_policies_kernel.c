/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The policies that ship, in the hands of the kernel
 */
#include "policies/policy.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "devices/core/base.h"
#include "tests/support/lock_up.h"

enum last_act { ACT_EXIT, ACT_FORBIDDEN, ACT_X32, ACT_ASSERT };

/* The wait status of a child that locks itself up with @p and then does @act. */
static int status_of(const struct policy *p, enum last_act act)
{
	pid_t pid = fork();
	int status = 0;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		/* criterion catches SIGILL, the jailed programs do not */
		signal(SIGILL, SIG_DFL);
		lock_up(p);
		if (act == ACT_FORBIDDEN)
			syscall(SYS_getppid);
		if (act == ACT_X32)
			syscall(SYS_getpid | X32_BIT);
		vr_assert(act != ACT_ASSERT);
		syscall(SYS_exit_group, 7);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

Test(policies_kernel, takes_and_enforces_them)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		const struct policy *p = &policies[i];
		int status = status_of(p, ACT_EXIT);

		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "%s: %x", p->name, status);
		status = status_of(p, ACT_FORBIDDEN);
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: %x", p->name,
			  status);
		status = status_of(p, ACT_X32);
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: %x", p->name,
			  status);
	}
}

/* An assertion that fails must not be reported as a breach of the jail. */
Test(policies_kernel, let_a_failed_assertion_trap)
{
	if (SANITIZED)
		cr_skip_test("sanitized");
	for (unsigned int i = 0; i < nr_policies; i++) {
		int status = status_of(&policies[i], ACT_ASSERT);

		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL, "%s: %x",
			  policies[i].name, status);
	}
}

/* In a process of its own: a process that makes a user namespace must have one thread. */
static NORETURN void assert_as_init(void)
{
	int status = 0;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
		_exit(77);
	pid = fork();
	if (pid == 0) {
		signal(SIGILL, SIG_DFL);
		lock_up(policy_find("serial_device"));
		vr_assert(pid != 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(98);
	_exit(WIFSIGNALED(status) ? WTERMSIG(status) : 97);
}

/* As the first process of a PID namespace, where a signal it sends itself has no effect. */
Test(policies_kernel, let_a_failed_assertion_trap_in_a_namespaces_init)
{
	pid_t pid;
	int status = 0;

	if (SANITIZED)
		cr_skip_test("sanitized");
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		assert_as_init();
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		cr_skip_test("no user namespaces here");
	cr_expect_eq(WEXITSTATUS(status), SIGILL, "%d", WEXITSTATUS(status));
}

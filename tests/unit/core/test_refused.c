/* SPDX-License-Identifier: BSD-3-Clause */
/* What a process says of a system call that its policy refuses, and that it dies of it. */
#include "devices/core/refused.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/core/log.h"
#include "tests/support/lock_up.h"

/* Makes the call behind a policy; returns what was logged, and how the process ended */
static int try(const char *policy, bool log, long nr, char said[LOG_LINE_BYTES])
{
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		log_init(log ? ends[1] : -1, LOG_LEVEL_ERROR);
		if (refused_watch(&(struct err){0}) < 0)
			_exit(98);
		lock_up(policy_find(policy));
		syscall(nr, 0x11L, 0x2222L, -3L, 4L, 5L, 6L);
		_exit(7);
	}
	close(ends[1]);
	n = read(ends[0], said, LOG_LINE_BYTES - 1);
	said[n > 0 ? n : 0] = 0;
	close(ends[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

Test(refused, is_said_with_its_arguments_and_kills)
{
	static const char *const names[] = {"rng_device", "vmm_device", "fs_device"};

	if (SANITIZED)
		cr_skip_test("sanitized");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char said[LOG_LINE_BYTES], wanted[LOG_LINE_BYTES];

		snprintf(wanted, sizeof(wanted), "S 1 %x 11 2222 fffffffffffffffd 4 5 6\n",
			 SYS_socket);
		cr_expect_eq(try(names[i], true, SYS_socket, said), -SIGSYS);
		cr_expect_str_eq(said, wanted, "%s", names[i]);
	}
}

Test(refused, kills_without_a_log)
{
	char said[LOG_LINE_BYTES];

	if (SANITIZED)
		cr_skip_test("sanitized");
	cr_expect_eq(try("rng_device", false, SYS_socket, said), -SIGSYS);
	cr_expect_str_eq(said, "");
}

Test(refused, is_said_where_all_signals_are_blocked)
{
	char said[LOG_LINE_BYTES];
	sigset_t all, before;

	if (SANITIZED)
		cr_skip_test("sanitized");
	sigfillset(&all);
	cr_assert_eq(sigprocmask(SIG_SETMASK, &all, &before), 0);
	cr_expect_eq(try("pod_device", true, SYS_socket, said), -SIGSYS);
	cr_assert_eq(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	cr_expect(strstr(said, "S 1 29 11 ") == said, "%s", said);
}

Test(refused, takes_a_number_that_no_kernel_has)
{
	char said[LOG_LINE_BYTES];

	if (SANITIZED)
		cr_skip_test("sanitized");
	cr_expect_eq(try("rng_device", true, 0x3fffffff, said), -SIGSYS);
	cr_expect(strstr(said, "S 1 3fffffff 11 ") == said, "%s", said);
}

Test(refused, what_is_allowed_goes_on)
{
	char said[LOG_LINE_BYTES];

	if (SANITIZED)
		cr_skip_test("sanitized");
	cr_expect_eq(try("rng_device", true, SYS_close, said), 7);
	cr_expect_str_eq(said, "");
}

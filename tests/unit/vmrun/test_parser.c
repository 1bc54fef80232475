/* SPDX-License-Identifier: BSD-3-Clause */
/* A child behind a policy: what it answers, and how it ends. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* part of a program, in no library */
#include "cmd/vmrun/parser.c"

TestSuite(parser, .timeout = 20);

static int answers(void *arg, struct err *err)
{
	return arg ? err_text(err, EINVAL, "%s", (const char *)arg) : 0;
}

static int makes_a_socket(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int leaves(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	_exit(0);
}

static int aborts(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	__builtin_trap();
}

Test(parser, an_answer_is_the_callers)
{
	struct err err = {0};

	cr_assert_eq(parser_run(answers, NULL, &err), 0);
	cr_assert_eq(parser_run(answers, (char *)"wrong", &err), -EINVAL);
	cr_assert_str_eq(err.msg, "wrong");
}

Test(parser, a_refused_call_is_named_with_its_arguments)
{
	struct err err = {0};

	cr_assert_eq(parser_run(makes_a_socket, NULL, &err), -ECHILD);
	cr_assert(strstr(err.msg,
			 "the policy parser was killed by its seccomp policy (SIGSYS): pid "),
		  "%s", err.msg);
	cr_assert(strstr(err.msg, ", socket(0x2, 0x1, 0x0, "), "%s", err.msg);
}

Test(parser, an_end_without_an_answer)
{
	struct err err = {0};

	cr_assert_eq(parser_run(leaves, NULL, &err), -ECHILD);
	cr_assert_str_eq(err.msg, "the policy parser died");
	cr_assert_eq(parser_run(aborts, NULL, &err), -ECHILD);
	cr_assert(strstr(err.msg, "the policy parser was killed by SIG"), "%s", err.msg);
}

Test(parser, no_child_and_no_fd_is_left)
{
	struct err err = {0};
	const int before = dup(0);

	close(before);
	for (int i = 0; i < 3; i++)
		(void)!parser_run(i ? makes_a_socket : leaves, NULL, &err);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
	cr_assert_eq(dup(0), before);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Hooks are shell scripts here, as most are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/host/hook.h"
#include "runtime/util/clock.h"
#include "tests/support/temp_dir.h"

static char *argv[] = {"sh", "-c", NULL, "zero", "one", NULL};
static struct err err;

static void setup(void)
{
	temp_dir_make();
	err = (struct err){0};
}

TestSuite(hook, .init = setup, .fini = temp_dir_remove, .timeout = 60);

static int run_with(const char *script, const char *state, char **env, unsigned int timeout_s)
{
	const struct plan_hook h = {
		.path = "/bin/sh", .argv = argv, .env = env, .timeout_s = timeout_s};
	const struct hook_place place = {.state = state, .cwd = temp_dir};

	argv[2] = (char *)script;
	return hook_run(&h, &place, &err);
}

static int run(const char *script)
{
	return run_with(script, "{}", NULL, 0);
}

/* What is in the file @name of the directory */
static const char *written(const char *name)
{
	static char text[65536];
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", temp_dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", path);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

Test(hook, has_state_arguments_and_directory)
{
	cr_expect_eq(run_with("cat >state; echo $0 $1 >args; pwd >cwd", "{\"id\":\"x\"}", NULL, 0),
		     0, "%s", err.msg);
	cr_expect_str_eq(written("state"), "{\"id\":\"x\"}");
	cr_expect_str_eq(written("args"), "zero one\n");
	cr_expect_eq(strncmp(written("cwd"), temp_dir, strlen(temp_dir)), 0);
}

/* More than a pipe holds: neither side may wait for the other. */
Test(hook, need_not_read_a_large_state)
{
	static char state[400000];

	memset(state, 'x', sizeof(state) - 1);
	cr_expect_eq(run_with("true", state, NULL, 0), 0);
	cr_expect_eq(run_with("wc -c >n", state, NULL, 0), 0);
	cr_expect_eq(atoi(written("n")), sizeof(state) - 1);
}

Test(hook, has_the_environment_that_it_is_given_or_the_callers)
{
	char *env[] = {"A=b", NULL};

	setenv("HOOK_TEST", "inherited", 1);
	cr_expect_eq(run_with("echo $A$HOOK_TEST >env", "{}", env, 0), 0);
	cr_expect_str_eq(written("env"), "b\n");
	cr_expect_eq(run("echo $HOOK_TEST >env"), 0);
	cr_expect_str_eq(written("env"), "inherited\n");
}

Test(hook, says_why_it_failed)
{
	cr_expect_eq(run("echo first; echo second >&2; exit 3"), -ECHILD);
	cr_expect_str_eq(err.msg, "/bin/sh: exit status 3: second");
	cr_expect_eq(run("exit 1"), -ECHILD);
	cr_expect_str_eq(err.msg, "/bin/sh: exit status 1");
	cr_expect_eq(run("kill -9 $$"), -ECHILD);
	cr_expect_str_eq(err.msg, "/bin/sh: killed by SIGKILL");
	cr_expect_eq(run("echo fine >&2"), 0, "what it says is no failure");
}

/* The end of it says most. */
Test(hook, may_say_more_than_is_kept)
{
	cr_expect_eq(
		run("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1"),
		-ECHILD);
	cr_expect(strstr(err.msg, "line 19999"), "%s", err.msg);
}

Test(hook, has_a_time)
{
	const uint64_t begin = clock_ns();

	cr_expect_eq(run_with("echo late >&2; exec sleep 60", "{}", NULL, 1), -ETIMEDOUT);
	cr_expect_str_eq(err.msg, "/bin/sh: timed out after 1 s: late");
	cr_expect_lt(clock_ns() - begin, 30000000000ULL);
	cr_expect_eq(run_with("exit 0", "{}", NULL, 60), 0);
}

/* A daemon that it leaves behind keeps its standard error, but not the caller. */
Test(hook, may_leave_a_process_behind)
{
	const uint64_t begin = clock_ns();
	pid_t pid;

	cr_expect_eq(run("sleep 60 & echo $! >pid"), 0);
	cr_expect_lt(clock_ns() - begin, 30000000000ULL);
	pid = (pid_t)atoi(written("pid"));
	cr_assert_gt(pid, 0);
	cr_expect_eq(kill(pid, SIGKILL), 0, "it lives");
}

Test(hook, that_cannot_be_run)
{
	char *const none[] = {"x", NULL};
	struct plan_hook h = {.path = "/no/such/program", .argv = (char **)none};
	const struct hook_place place = {.state = "{}", .cwd = "/no/such/directory"};

	cr_expect_eq(hook_run(&h, &place, &err), -ENOENT);
	cr_expect_str_eq(err.msg, "/no/such/program: No such file or directory");
	h.path = "/etc/passwd";
	cr_expect_eq(hook_run(&h, &place, &err), -EACCES);
}

Test(hook, has_no_other_file_of_the_caller)
{
	cleanup_fd int leak = open("/dev/null",
				   O_RDWR); /* not close-on-exec, as conmon's pipes are */

	cr_assert_geq(leak, 3);
	cr_expect_eq(run("exec ls /proc/self/fd >fds"), 0);
	cr_expect_str_eq(written("fds"), "0\n1\n2\n3\n", "3 is the directory that ls reads");
}

/* A verb blocks signals while it must not be interrupted. */
Test(hook, has_its_signals_as_a_program_expects)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Its child's: the shell itself blocks all of them for a moment when it starts one. */
	cr_expect_eq(run("grep -E 'Sig(Blk|Ign)' /proc/self/status >signals"), 0);
	cr_expect_str_eq(written("signals"),
			 "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

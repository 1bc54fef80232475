/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Which process it is, and what it is doing, as the kernel sees it
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/util/process.h"

#define RESOURCE 50

enum doing { READS, POLLS, SPINS, PAUSES };

static pid_t child(enum doing what)
{
	int fds[2];
	pid_t pid;
	char c;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid != 0)
		return pid;
	dup2(fds[0], RESOURCE);
	while (what == SPINS)
		__asm__ volatile("");
	if (what == READS)
		_exit((int)read(RESOURCE, &c, 1));
	if (what == POLLS)
		_exit(poll(&(struct pollfd){.fd = RESOURCE, .events = POLLIN}, 1, -1));
	pause();
	_exit(1);
}

/* It takes a while until a new process is where it is going to be. */
static bool comes_to_wait(pid_t pid)
{
	for (unsigned int i = 0; i < 5000; i++) {
		if (process_waits(pid, RESOURCE - 1, 2))
			return true;
		usleep(1000);
	}
	return false;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(process, one_that_reads_a_resource_waits)
{
	pid_t pid = child(READS);

	cr_assert(comes_to_wait(pid));
	cr_expect_not(process_waits(pid, RESOURCE + 1, 5));
	cr_expect_not(process_waits(pid, 0, RESOURCE));
	cr_expect_not(process_waits(pid, RESOURCE, 0));
	/* A stopped process does nothing. */
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	cr_expect_not(process_waits(pid, RESOURCE, 1));
	end(pid);
}

Test(process, one_that_does_anything_else_does_not)
{
	static const enum doing what[] = {POLLS, SPINS, PAUSES};

	for (unsigned int i = 0; i < ARRAY_SIZE(what); i++) {
		pid_t pid = child(what[i]);

		for (unsigned int n = 0; n < 50; n++) {
			cr_expect_not(process_waits(pid, RESOURCE, 1), "%d", what[i]);
			usleep(1000);
		}
		end(pid);
		cr_expect_not(process_waits(pid, RESOURCE, 1));
	}
}

Test(process, a_pid_alone_is_not_an_identity)
{
	struct process p;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	p = (struct process){pid, process_identify(pid)};
	cr_assert_neq(p.start, 0);
	/* another process that has the same pid now */
	p.start++;
	cr_expect_eq(process_open(&p), -ESRCH);
	cr_expect_eq(process_kill(&p, 1000), 0);
	cr_expect_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	cr_expect_neq(process_identify(pid), 0);
	p.start--;
	cr_expect_eq(process_kill(&p, 10000), 0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	cr_expect_eq(info.si_status, SIGKILL);
	cr_expect_eq(process_identify(pid), 0);
}

Test(process, a_process_that_is_none)
{
	static const struct process none[] = {{.pid = 0, .start = 1}, {.pid = -1, .start = 1}};

	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		cr_expect_eq(process_open(&none[i]), -ESRCH, "%d", none[i].pid);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kill -9 at a known step. It stops a process at each of its system calls, and kills it before number N:
 *
 *   kill_at N CMD...           of CMD
 *   kill_at --child K N CMD... of the Kth process that CMD starts
 *   kill_at --pid N PID        of a process that runs; says "ready" once it counts
 *
 * Status: CMD's, as shells have it. With --pid: 0 if it was killed, 1 if it ended before.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALL_STOP (SIGTRAP | 0x80)
#define FORKS	  (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)
/* The victim dies when its tracer ends, so that its parent hears of that as of any death. */
#define VICTIM (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Until the traced victim is about to make its call @n: true. False: it ended before */
static bool count(pid_t victim, long n)
{
	long stops = 2 * n; /* a call has two */
	int status;

	while (waitpid(victim, &status, __WALL) == victim && WIFSTOPPED(status)) {
		const bool call = WSTOPSIG(status) == CALL_STOP;

		if (call && stops-- <= 0)
			return true;
		/* What is neither a call nor an event of ptrace's is a signal of its own. */
		ptrace(PTRACE_SYSCALL, victim, 0, call || status >> 16 ? 0 : WSTOPSIG(status));
	}
	return false;
}

/* The @nth process that @cmd starts, traced and stopped; 0 if there is none */
static pid_t find(pid_t cmd, int nth)
{
	unsigned long child = 0;
	int status;

	while (nth > 0 && waitpid(cmd, &status, __WALL) == cmd && WIFSTOPPED(status)) {
		const int event = status >> 16;
		const bool fork = event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
				  event == PTRACE_EVENT_CLONE;

		if (fork) {
			ptrace(PTRACE_GETEVENTMSG, cmd, 0, &child);
			waitpid((pid_t)child, NULL, __WALL);
			if (--nth > 0)
				ptrace(PTRACE_DETACH, (pid_t)child, 0, 0);
		}
		ptrace(nth ? PTRACE_CONT : PTRACE_DETACH, cmd, 0, event ? 0 : WSTOPSIG(status));
	}
	return nth ? 0 : (pid_t)child;
}

/* The tracer of @cmd, which waits for SIGCONT. When it ends, the victim dies. */
static _Noreturn void trace(pid_t cmd, int nth, long n)
{
	pid_t victim = cmd;

	if (ptrace(PTRACE_SEIZE, cmd, 0, nth ? FORKS : VICTIM) < 0)
		fail("ptrace");
	kill(cmd, SIGCONT);
	if (nth) {
		victim = find(cmd, nth);
		if (!victim || ptrace(PTRACE_SETOPTIONS, victim, 0, VICTIM) < 0)
			exit(2);
		ptrace(PTRACE_SYSCALL, victim, 0, 0);
	}
	exit(!count(victim, n));
}

static int run(int nth, long n, char **argv)
{
	const pid_t cmd = fork();
	int status;

	if (cmd == 0) {
		raise(SIGSTOP);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (cmd < 0 || waitpid(cmd, &status, WUNTRACED) != cmd)
		fail("fork");
	if (fork() == 0)
		trace(cmd, nth, n);
	if (waitpid(cmd, &status, 0) != cmd)
		fail("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int join(pid_t pid, long n)
{
	if (ptrace(PTRACE_SEIZE, pid, 0, VICTIM) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		fail("ptrace");
	puts("ready");
	fflush(stdout);
	return count(pid, n) ? 0 : 1;
}

int main(int argc, char **argv)
{
	const bool child = argc > 4 && strcmp(argv[1], "--child") == 0;
	const bool pid = argc == 4 && strcmp(argv[1], "--pid") == 0;
	const int at = child ? 3 : pid ? 2 : 1;
	const long n = argc > at + 1 ? atol(argv[at]) : -1;

	if (n < 0)
		return 2;
	if (pid)
		return join(atoi(argv[at + 1]), n);
	return run(child ? atoi(argv[2]) : 0, n, argv + at + 1);
}

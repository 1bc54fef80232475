/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/tracer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "cmd/vmrun/tracee.h"
#include "devices/core/boot.h"
#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "policies/arch.h"
#include "runtime/util/clock.h"

#define FOLLOW                                                                                     \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |  \
	 PTRACE_O_TRACEEXEC)
#define NS_PER_S 1000000000ULL
#define IS_CALL	 (SIGTRAP | 0x80) /* of PTRACE_O_TRACESYSGOOD */

/**
 * struct tracer - A job under way
 * @command:	0: none, or it has ended
 * @over:	It is time to let go
 * @rc, @err:	How it went
 */
struct tracer {
	struct tracer_job *job;
	uint32_t arch;
	sigset_t waited;
	struct tracees tracees;
	pid_t command;
	uint64_t end_ns;
	bool over;
	int rc;
	struct err *err;
};

/* ---- stops ---- */

/* A thread that was killed meanwhile is no error: its end is reported by itself. */
static void tracer_resume(const struct tracee *e, int sig)
{
	(void)ptrace(e->ours ? PTRACE_SYSCALL : PTRACE_CONT, e->thread, NULL,
		     (void *)(uintptr_t)sig);
}

static void tracer_fail(struct tracer *t, int rc)
{
	t->rc = rc;
	t->over = true;
}

/* The program's first instruction becomes its last: the kernel takes the filter, which allows all. */
static bool tracer_open_filter(const struct tracee *e, const struct sock_filter *at)
{
	const struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	long word;

	_Static_assert(sizeof(allow) == sizeof(word), "an instruction is a word");
	memcpy(&word, &allow, sizeof(word));
	return ptrace(PTRACE_SETOPTIONS, e->thread, NULL,
		      (void *)(uintptr_t)(FOLLOW | PTRACE_O_EXITKILL)) == 0 &&
	       ptrace(PTRACE_POKEDATA, e->thread, at, (void *)word) == 0;
}

/* What it is about to install; empty if that cannot be read, which the kernel will not like either */
static unsigned int tracer_read_filter(const struct tracee *e, uint64_t where,
				       struct sock_fprog *ret_prog,
				       struct sock_filter ret[BOOT_FILTER_MAX])
{
	struct iovec to = {ret_prog, sizeof(*ret_prog)};
	struct iovec from = {(void *)(uintptr_t)where, sizeof(*ret_prog)};

	if (process_vm_readv(e->thread, &to, 1, &from, 1, 0) != sizeof(*ret_prog) ||
	    ret_prog->len > BOOT_FILTER_MAX)
		return 0;
	to = (struct iovec){ret, ret_prog->len * sizeof(ret[0])};
	from = (struct iovec){ret_prog->filter, to.iov_len};
	return process_vm_readv(e->thread, &to, 1, &from, 1, 0) == (ssize_t)to.iov_len
		       ? ret_prog->len
		       : 0;
}

static void tracer_on_filter(struct tracer *t, struct tracee *e, uint64_t where)
{
	struct sock_filter insn[BOOT_FILTER_MAX];
	struct sock_fprog prog;
	const unsigned int count = tracer_read_filter(e, where, &prog, insn);
	unsigned int group;

	/* Filters that are opened do not narrow: a device's policy is one, for all of its life. */
	if (count == 0 || !tracee_group(e, insn, count, t->job->opens, &group))
		return;
	if (t->job->opens && !tracer_open_filter(e, prog.filter)) {
		tracer_fail(t, err_set(t->err, errno, "%s: its filter", e->program));
		return;
	}
	tracees_confine(&t->tracees, e->process, group);
}

static void tracer_on_call(struct tracer *t, struct tracee *e)
{
	struct __ptrace_syscall_info info;
	uint64_t args[6];
	bool installs;
	int rc;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, e->thread, (void *)sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || info.arch != t->arch)
		return;
	installs = info.entry.nr == SYS_seccomp && info.entry.args[0] == SECCOMP_SET_MODE_FILTER;
	if (e->confined && !(installs && t->job->opens)) {
		for (unsigned int i = 0; i < ARRAY_SIZE(args); i++)
			args[i] = info.entry.args[i];
		rc = t->job->call(t->job->arg, e->group, (int)info.entry.nr, args, t->err);
		if (rc < 0)
			tracer_fail(t, rc);
	}
	if (installs)
		tracer_on_filter(t, e, info.entry.args[2]);
}

static bool tracer_is_group_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/*
 * The first process of a PID namespace survives a SIGSYS that the kernel forces upon it, but only while it is traced: one
 * whose call was refused dies as it would have.
 */
static void tracer_let_die(struct tracer *t, pid_t thread)
{
	(void)ptrace(PTRACE_DETACH, thread, NULL, (void *)(uintptr_t)SIGSYS);
	tracees_forget(&t->tracees, thread);
}

static void tracer_on_stop(struct tracer *t, pid_t thread, int status)
{
	const int sig = WSTOPSIG(status), event = status >> 16;
	struct tracee *e = event == PTRACE_EVENT_EXEC ? tracees_executed(&t->tracees, thread)
						      : tracees_get(&t->tracees, thread);

	if (!e) {
		tracer_fail(t, err_set(t->err, ENOMEM, "threads"));
		return;
	}
	if (event == PTRACE_EVENT_STOP && tracer_is_group_stop(sig)) {
		(void)ptrace(PTRACE_LISTEN, thread, NULL, NULL);
		return;
	}
	if (event == 0 && sig == SIGSYS && e->confined) {
		tracer_let_die(t, thread);
		return;
	}
	if (sig == IS_CALL)
		tracer_on_call(t, e);
	tracer_resume(e, event || sig == IS_CALL ? 0 : sig);
}

static void tracer_on_change(struct tracer *t, pid_t thread, int status)
{
	if (WIFSTOPPED(status)) {
		tracer_on_stop(t, thread, status);
		return;
	}
	tracees_forget(&t->tracees, thread);
	if (thread == t->command) {
		t->job->ret_status = status;
		t->command = 0;
	}
}

/* ---- the thread ---- */

static void tracer_on_signal(struct tracer *t, int sig)
{
	if (sig == SIGCHLD)
		return;
	if (!t->command)
		t->over = true;
	else if (sig == SIGTERM)
		(void)kill(t->command, sig);
}

static void tracer_wait(struct tracer *t)
{
	const uint64_t now = clock_ns();
	uint64_t left = 3600 * NS_PER_S;
	struct timespec ts;
	int sig;

	if (t->end_ns && t->end_ns <= now) {
		t->over = true;
		return;
	}
	if (t->end_ns && t->end_ns - now < left)
		left = t->end_ns - now;
	ts.tv_sec = (time_t)(left / NS_PER_S);
	ts.tv_nsec = (long)(left % NS_PER_S);
	sig = sigtimedwait(&t->waited, NULL, &ts);
	if (sig > 0)
		tracer_on_signal(t, sig);
}

static void tracer_loop(struct tracer *t)
{
	while (!t->over) {
		int status;
		const pid_t thread = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG);

		if (thread > 0)
			tracer_on_change(t, thread, status);
		else if (thread == 0)
			tracer_wait(t);
		else
			return;
	}
}

/* The child waits until it is traced. A byte that is an errno comes back, or nothing. */
static _Noreturn void tracer_child(const struct tracer *t, int go, int failed)
{
	char byte;

	if (sigprocmask(SIG_SETMASK, &t->job->mask, NULL) == 0 && read(go, &byte, 1) == 0)
		(void)execvp(t->job->argv[0], t->job->argv);
	byte = (char)errno;
	(void)!write(failed, &byte, 1);
	_exit(EXIT_FAILURE);
}

static int tracer_start_command(struct tracer *t)
{
	const char *name = t->job->argv[0];
	cleanup_fd int go = -1, failed = -1;
	int wait_pipe[2], error_pipe[2];
	unsigned char byte = 0;

	if (pipe2(wait_pipe, O_CLOEXEC) < 0)
		return err_set(t->err, errno, "pipe");
	go = wait_pipe[0];
	if (pipe2(error_pipe, O_CLOEXEC) < 0) {
		close(wait_pipe[1]);
		return err_set(t->err, errno, "pipe");
	}
	failed = error_pipe[0];
	t->command = fork();
	if (t->command == 0) {
		close(wait_pipe[1]);
		tracer_child(t, go, error_pipe[1]);
	}
	close(error_pipe[1]);
	if (t->command > 0 && ptrace(PTRACE_SEIZE, t->command, NULL, (void *)(uintptr_t)FOLLOW) < 0)
		byte = (unsigned char)errno;
	close(wait_pipe[1]);
	if (t->command < 0)
		return err_set(t->err, errno, "fork");
	if (byte || read(failed, &byte, 1) == 1)
		return err_set(t->err, byte, "%s", name);
	return 0;
}

static int tracer_seize_thread(struct tracer *t, const struct tracer_target *target, pid_t thread)
{
	struct tracee *e;

	if (ptrace(PTRACE_SEIZE, thread, NULL, (void *)(uintptr_t)FOLLOW) < 0)
		return errno == ESRCH
			       ? 0
			       : err_set(t->err, errno, "process %d cannot be traced", thread);
	e = tracees_get(&t->tracees, thread);
	if (!e)
		return err_set(t->err, ENOMEM, "threads");
	e->ours = e->confined = true;
	e->group = target->group;
	/* From here on it stops at each call. */
	(void)ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
	return 0;
}

static int tracer_seize(struct tracer *t, const struct tracer_target *target)
{
	cleanup_fd int pidfd = process_open(&target->process);
	char path[64];
	const struct dirent *d;
	DIR *threads;
	int rc = 0;

	fmt_into(path, sizeof(path), "/proc/%d/task", (int)target->process.pid);
	threads = pidfd < 0 ? NULL : opendir(path);
	while (rc == 0 && threads && (d = readdir(threads))) {
		const pid_t thread = (pid_t)strtol(d->d_name, NULL, 10);

		if (thread > 0)
			rc = tracer_seize_thread(t, target, thread);
	}
	if (threads)
		closedir(threads);
	return rc;
}

static void *tracer_thread(void *arg)
{
	struct tracer *t = arg;
	const struct tracer_job *job = t->job;

	t->rc = job->argv ? tracer_start_command(t) : 0;
	for (unsigned int i = 0; t->rc == 0 && i < job->nr; i++)
		t->rc = tracer_seize(t, &job->target[i]);
	t->end_ns = job->seconds ? clock_ns() + job->seconds * NS_PER_S : 0;
	if (t->rc == 0)
		tracer_loop(t);
	return NULL;
}

static sigset_t tracer_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

void tracer_block_signals(sigset_t *ret_before)
{
	sigset_t set = tracer_signals();

	sigaddset(&set, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &set, ret_before);
}

int tracer_run(struct tracer_job *job, struct err *err)
{
	struct tracer t = {
		.job = job, .arch = arch_native()->audit, .waited = tracer_signals(), .err = err};
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, tracer_thread, &t);

	if (rc == 0)
		rc = pthread_join(thread, NULL);
	tracees_done(&t.tracees);
	return rc ? err_set(err, rc, "thread") : t.rc;
}

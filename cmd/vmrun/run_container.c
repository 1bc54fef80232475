/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/run_container.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cmd/vmrun/pty.h"
#include "cmd/vmrun/relay.h"
#include "cmd/vmrun/start.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/destroy.h"
#include "runtime/supervisor/signals.h"
#include "runtime/util/process.h"

/* These stop this process, and let it go on, and not the container's. */
static const int run_container_stops[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, 0};

enum run_container_slot { RUN_END, RUN_SIGNAL, RUN_RELAY, RUN_SLOTS = RUN_RELAY + RELAY_SLOTS };

/**
 * struct running - A container in the foreground; fds -1: none
 * @started:	Its program runs
 * @interrupted: The signal by which the user ended its start; 0: none
 */
struct running {
	int pidfd;
	int signal_fd;
	bool started;
	int interrupted;
	struct relay relay;
};

static void run_container_done(struct running *r)
{
	relay_finish(&r->relay);
	cleanup_close_fd(&r->pidfd);
	/* From here on a signal ends the program, also while it reports an error. */
	signals_release(r->signal_fd);
}
#define cleanup_running __attribute__((cleanup(run_container_done)))

static void run_container_pass_signal_on(struct running *r)
{
	struct signalfd_siginfo info;
	uint16_t cols, rows;
	int sig;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	sig = (int)info.ssi_signo;
	/* There is no program yet that it could be meant for. */
	if (!r->started && (sig == SIGINT || sig == SIGTERM || sig == SIGQUIT || sig == SIGHUP)) {
		r->interrupted = sig;
		return;
	}
	/* The supervisor has the pty's other end, and hears of its size by a signal of its own. */
	if (sig == SIGWINCH)
		(void)relay_resize(&r->relay, &cols, &rows);
	else
		(void)process_signal(r->pidfd, sig);
}

/* Until @fd is readable, or the user does not wait for the start any more */
static int run_container_wait(struct running *r, int fd, struct err *err)
{
	struct pollfd p[RUN_SLOTS];

	for (unsigned int i = 0; i < RUN_SLOTS; i++)
		p[i] = (struct pollfd){.fd = -1};
	while (!p[RUN_END].revents && !r->interrupted) {
		p[RUN_END] = (struct pollfd){.fd = fd, .events = POLLIN};
		p[RUN_SIGNAL] = (struct pollfd){.fd = r->signal_fd, .events = POLLIN};
		if (r->started)
			relay_poll(&r->relay, p + RUN_RELAY);
		if (poll(p, RUN_SLOTS, -1) < 0 && errno != EINTR)
			return err_set(err, errno, "poll");
		if (p[RUN_SIGNAL].revents & POLLIN)
			run_container_pass_signal_on(r);
		relay_serve(&r->relay, p + RUN_RELAY);
	}
	return r->interrupted ? err_text(err, EINTR, "interrupted") : 0;
}

static int run_container_open_terminal(struct running *r, struct launch_vm *vm, struct err *err)
{
	cleanup_pty struct pty pty = PTY_NONE;
	uint16_t cols, rows;
	int rc = vm->plan->terminal ? pty_open(vm->plan->cols, vm->plan->rows, &pty, err) : 0;

	if (rc < 0 || !vm->plan->terminal)
		return rc;
	vm->console = TAKE_FD(pty.slave);
	vm->own_fd = pty.master;
	rc = relay_open(&r->relay, TAKE_FD(pty.master), err);
	if (rc == 0)
		(void)relay_resize(&r->relay, &cols, &rows);
	/* Until the program runs Ctrl-C is no key of its. */
	terminal_give_back(&r->relay.terminal);
	return rc;
}

static int run_container_start(struct running *r, struct vmrun *v, const char *id, struct err *err)
{
	cleanup_fd int dir = -1, sock = -1;
	int rc = state_open(v->root, id, &dir, err);

	if (rc == 0)
		rc = sock = start_ask(dir, err);
	if (rc >= 0)
		rc = run_container_wait(r, sock, err);
	if (rc == 0)
		rc = start_answered(v, dir, sock, err);
	r->started = rc == 0;
	if (rc == 0)
		terminal_take(&r->relay.terminal);
	return rc;
}

/* That of the supervisor; not of its end by run_container_end(), which is how one ends whose start was refused */
static void run_container_status(struct vmrun *v, const siginfo_t *info, bool started)
{
	const int status = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;

	if (started || status != 128 + SIGKILL)
		v->exit_code = status;
}

/* The end of it all, or of a start that failed: then too the supervisor has a status, 127 for a program that is not there. */
static int run_container_end(struct running *r, struct vmrun *v, const struct foreground_job *job,
			     int rc, struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	siginfo_t info = {0};
	struct err failure;

	if ((rc < 0 || !job->keep) && destroy(v->root, job->id, true, &warn, &failure) < 0 &&
	    rc == 0) {
		*err = failure;
		rc = err_wrap(err, "%s", job->id);
	}
	if (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
		run_container_status(v, &info, r->started);
	if (r->interrupted)
		v->exit_code = 128 + r->interrupted;
	phases_mark(job->vm->phases, "deleted");
	if (job->vm->phases)
		phases_print(job->vm->phases, STDERR_FILENO);
	return rc;
}

int run_container(struct vmrun *v, const struct foreground_job *job, struct err *err)
{
	cleanup_running struct running r = {.pidfd = -1, .relay = {.master = -1}};
	const int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	pid_t pid;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	r.signal_fd = signals_catch_most(run_container_stops, err);
	if (r.signal_fd < 0)
		return r.signal_fd;
	job->vm->waits = !job->keep;
	rc = run_container_open_terminal(&r, job->vm, err);
	if (rc == 0)
		rc = launch_go(v, job->launch, job->vm, stdio, true, false, &pid, err);
	if (rc < 0)
		return rc;
	r.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r.pidfd < 0)
		return err_set(err, errno, "supervisor");
	rc = run_container_start(&r, v, job->id, err);
	if (rc == 0)
		rc = run_container_wait(&r, r.pidfd, err);
	if (rc == 0)
		relay_finish(&r.relay);
	return run_container_end(&r, v, job, rc, err);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cmd/vmrun/attach.h"
#include "cmd/vmrun/start.h"
#include "runtime/plan/plan_console.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/destroy.h"
#include "runtime/supervisor/signals.h"
#include "runtime/util/process.h"

#define BACKGROUND_LOOK_MS 1000

/**
 * struct foreground - A VM in the foreground
 * @terminal:	Without a virtio console on it: the serial port's
 * @attach:	With one
 * @interrupts:	INT signals so far
 */
struct foreground {
	const struct vmrun *v;
	const struct foreground_job *job;
	struct terminal terminal;
	struct attach attach;
	int pidfd;
	int signal_fd;
	unsigned int interrupts;
};

static struct terminal *foreground_terminal(struct foreground *r)
{
	return r->attach.sock >= 0 ? &r->attach.terminal : &r->terminal;
}

static void foreground_done(struct foreground *r)
{
	terminal_close(&r->terminal);
	attach_close(&r->attach);
	cleanup_close_fd(&r->pidfd);
	/* From here on a signal ends the program, also while it reports an error. */
	signals_release(r->signal_fd);
}
#define cleanup_foreground __attribute__((cleanup(foreground_done)))

/* Before the launch, so that no signal is lost or kills this process in between. */
static int foreground_catch_signals(struct foreground *r, struct err *err)
{
	static const int caught[] = {SIGINT,   SIGTERM, SIGHUP,	 SIGQUIT, SIGTSTP, SIGCONT,
				     SIGWINCH, SIGUSR1, SIGUSR2, SIGALRM, 0};

	signal(SIGPIPE, SIG_IGN);
	r->signal_fd = signals_catch(caught, err);
	return r->signal_fd < 0 ? r->signal_fd : 0;
}

static void foreground_pass_size_on(struct foreground *r)
{
	const struct request q = {.op = REQUEST_CONSOLE_SIZE, .value = attach_size()};
	cleanup_fd int dir = -1;
	struct err ignored;

	if (r->attach.sock >= 0 && q.value &&
	    state_open(r->v->root, r->job->id, &dir, &ignored) == 0)
		(void)!client_ask(dir, &q, -1, NULL, NULL, &ignored);
}

static void foreground_pass_signal_on(struct foreground *r)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	sig = (int)info.ssi_signo;
	if (sig == SIGWINCH) {
		foreground_pass_size_on(r);
		return;
	}
	if (sig == SIGTSTP || sig == SIGCONT) {
		/* The VM runs on; only this process stops, and the shell gets its terminal back. */
		if (sig == SIGTSTP) {
			terminal_give_back(foreground_terminal(r));
			(void)raise(SIGSTOP);
		}
		terminal_take(foreground_terminal(r));
		return;
	}
	/* The first asks the guest to end; the second ends it. A hang-up is a wish to end, not that logs are rotated. */
	if (sig == SIGINT && r->interrupts++ > 0)
		sig = SIGQUIT;
	if (sig == SIGHUP)
		sig = SIGTERM;
	(void)process_signal(r->pidfd, sig);
}

/* Returns whether the user detaches */
static bool foreground_obey(struct foreground *r, enum terminal_wish wish)
{
	switch (wish) {
	case TERMINAL_STAY: return false;
	case TERMINAL_GONE: (void)process_signal(r->pidfd, SIGTERM); break;
	case TERMINAL_QUIT: (void)process_signal(r->pidfd, SIGQUIT); break;
	case TERMINAL_LEAVE: return r->attach.sock >= 0;
	}
	terminal_close(foreground_terminal(r));
	return false;
}

enum foreground_slot {
	FOREGROUND_END,
	FOREGROUND_SIGNAL,
	FOREGROUND_KEYS,
	FOREGROUND_SOCK,
	FOREGROUND_SLOTS
};

static void foreground_poll(struct foreground *r, struct pollfd p[FOREGROUND_SLOTS])
{
	p[FOREGROUND_END] = (struct pollfd){.fd = r->pidfd, .events = POLLIN};
	p[FOREGROUND_SIGNAL] = (struct pollfd){.fd = r->signal_fd, .events = POLLIN};
	p[FOREGROUND_KEYS] = (struct pollfd){.fd = r->terminal.raw ? STDIN_FILENO : -1,
					     .events = POLLIN};
	p[FOREGROUND_SOCK] = (struct pollfd){.fd = -1};
	if (r->attach.sock >= 0)
		attach_poll(&r->attach, &p[FOREGROUND_KEYS]);
}

/* Keys and output, after poll() */
static enum terminal_wish foreground_serve_terminal(struct foreground *r,
						    const struct pollfd p[FOREGROUND_SLOTS])
{
	enum terminal_wish wish = TERMINAL_STAY;

	if (r->attach.sock < 0)
		return p[FOREGROUND_KEYS].revents ? terminal_pump(&r->terminal) : TERMINAL_STAY;
	wish = attach_serve(&r->attach, &p[FOREGROUND_KEYS]);
	/* The console has closed its end; the pidfd says when the VM has ended. */
	if (wish == TERMINAL_GONE && p[FOREGROUND_KEYS].revents == 0) {
		attach_close(&r->attach);
		return TERMINAL_STAY;
	}
	return wish;
}

/* Until the VM has ended, or the user detaches: *@ret_detached */
static int foreground_wait(struct foreground *r, bool *ret_detached, struct err *err)
{
	struct pollfd p[FOREGROUND_SLOTS] = {{.fd = -1}};

	while (!(p[FOREGROUND_END].revents & POLLIN)) {
		const bool background = foreground_terminal(r)->used &&
					!foreground_terminal(r)->raw;

		foreground_poll(r, p);
		/* Not every shell sends SIGCONT to a job that it puts into the foreground. */
		if (poll(p, FOREGROUND_SLOTS, background ? BACKGROUND_LOOK_MS : -1) < 0 &&
		    errno != EINTR)
			return err_set(err, errno, "poll");
		if (p[FOREGROUND_SIGNAL].revents & POLLIN)
			foreground_pass_signal_on(r);
		*ret_detached = foreground_obey(r, foreground_serve_terminal(r, p));
		if (*ret_detached)
			return 0;
		if (background)
			terminal_take(foreground_terminal(r));
	}
	attach_finish(&r->attach);
	return 0;
}

static int foreground_wait_for_end(struct foreground *r, int *ret_code, bool *ret_detached,
				   struct err *err)
{
	siginfo_t info = {0};
	const int rc = foreground_wait(r, ret_detached, err);

	if (rc < 0 || *ret_detached)
		return rc;
	if (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED) < 0)
		return err_set(err, errno, "wait for the supervisor");
	*ret_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

/* A VM with a virtio console has the terminal by a socket, others have its keys by a pipe. */
static int foreground_open_terminal(struct foreground *r, int stdio[2], int *ret_theirs,
				    struct err *err)
{
	const uint64_t size = attach_size();
	int rc;

	if (!r->job->tty) {
		rc = terminal_open(&r->terminal, err);
		if (rc == 0 && r->terminal.rd >= 0)
			stdio[0] = r->terminal.rd;
		return rc;
	}
	rc = attach_open(&r->attach, ret_theirs, err);
	stdio[0] = stdio[1] = *ret_theirs;
	plan_console_set_size(r->job->vm->plan, (uint16_t)(size >> 16), (uint16_t)size);
	return rc;
}

/* The supervisor does it by itself, unless hooks of this process are to follow. One that fails leaves nothing behind. */
static int foreground_start(struct foreground *r, struct vmrun *v, struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	cleanup_fd int dir = -1;
	struct err ignored;
	int rc = state_open(v->root, r->job->id, &dir, err);

	if (rc == 0)
		rc = start_created(v, dir, err);
	if (rc < 0) {
		terminal_close(foreground_terminal(r));
		(void)!destroy(v->root, r->job->id, true, &warn, &ignored);
	}
	return rc;
}

static int foreground_end(struct foreground *r, struct vmrun *v, bool detached, struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	int rc = 0;

	terminal_close(&r->terminal);
	attach_close(&r->attach);
	if (detached)
		dprintf(STDERR_FILENO, "vmrun: detached from %s\r\n", r->job->id);
	else if (!r->job->keep)
		rc = destroy(v->root, r->job->id, true, &warn, err);
	if (rc < 0)
		(void)err_wrap(err, "%s", r->job->id);
	phases_mark(r->job->vm->phases, "deleted");
	if (r->job->vm->phases)
		phases_print(r->job->vm->phases, STDERR_FILENO);
	return rc;
}

int foreground(struct vmrun *v, const struct foreground_job *job, struct err *err)
{
	cleanup_foreground struct foreground r = {
		.v = v,
		.job = job,
		.terminal = {.rd = -1, .wr = -1},
		.attach = {.sock = -1, .terminal = {.rd = -1, .wr = -1}},
		.pidfd = -1,
		.signal_fd = -1,
	};
	const bool hooked = job->vm->plan->hooks.nr[HOOK_POSTSTART] > 0;
	int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	cleanup_fd int theirs = -1;
	bool detached = false;
	pid_t pid;
	int rc = foreground_catch_signals(&r, err);

	if (rc == 0)
		rc = foreground_open_terminal(&r, stdio, &theirs, err);
	if (rc < 0)
		return rc;
	job->vm->waits = !job->keep;
	job->vm->own_fd = r.attach.sock >= 0 ? r.attach.sock : r.terminal.wr;
	rc = launch_go(v, job->launch, job->vm, stdio, true, !hooked, &pid, err);
	if (rc < 0)
		return rc;
	cleanup_close_fd(&theirs);
	theirs = -1;
	r.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r.pidfd < 0)
		return err_set(err, errno, "supervisor");
	terminal_take(foreground_terminal(&r));
	rc = hooked ? foreground_start(&r, v, err) : 0;
	if (rc < 0)
		return rc;
	rc = foreground_wait_for_end(&r, &v->exit_code, &detached, err);
	return rc < 0 ? rc : foreground_end(&r, v, detached, err);
}

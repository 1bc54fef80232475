/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cmd/vmrun/attach.h"
#include "cmd/vmrun/launch.h"
#include "cmd/vmrun/run_bundle.h"
#include "devices/core/fmt.h"
#include "runtime/plan/plan_console.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/destroy.h"
#include "runtime/supervisor/signals.h"
#include "runtime/util/process.h"

#define BACKGROUND_LOOK_MS 1000

struct run_options {
	struct launch_options launch;
	struct run_bundle_options described;
	bool detach;
	bool keep;
	bool tty;
};

#define FIELD(f) offsetof(struct run_options, f)

static const struct option_spec options[] = {
	LAUNCH_OPTIONS(struct run_options),
	{"detach", 0, OPTION_FLAG, NULL, "do not wait for the end", FIELD(detach), NULL},
	{"keep", 0, OPTION_FLAG, NULL, "do not delete the VM when it has ended", FIELD(keep), NULL},
	{"disable-sandbox", 0, OPTION_FLAG, NULL,
	 "run VMM and devices WITHOUT JAILS, for debugging; state shows it",
	 FIELD(launch.disable_sandbox), NULL},
	{"socket", 's', OPTION_STRING, "PATH",
	 "have PATH lead to the VM's control socket, for vmrun stop; a directory: PATH/ID.sock",
	 FIELD(launch.socket), NULL},
	{"multiprocess", 'u', OPTION_FLAG, NULL,
	 "changes nothing: each device is a process of its own", FIELD(launch.ignored_flag), NULL},
	{"tty", 't', OPTION_FLAG, NULL,
	 "the guest's virtio console is this terminal, with its size; Ctrl-A d detaches",
	 FIELD(tty), NULL},
	RUN_BUNDLE_OPTIONS(struct run_options, described),
	{.name = NULL},
};

/**
 * struct run - A VM in the foreground
 * @terminal:	Without a virtio console on it: the serial port's
 * @attach:	With one
 * @interrupts:	INT signals so far
 */
struct run {
	const struct vmrun *v;
	const struct run_options *o;
	struct launch_vm vm;
	struct launch_target target;
	struct terminal terminal;
	struct attach attach;
	int pidfd;
	int signal_fd;
	unsigned int interrupts;
};

static struct terminal *run_terminal(struct run *r)
{
	return r->attach.sock >= 0 ? &r->attach.terminal : &r->terminal;
}

static void run_done(struct run *r)
{
	terminal_close(&r->terminal);
	attach_close(&r->attach);
	launch_vm_done(&r->vm);
	cleanup_close_fd(&r->pidfd);
	/* From here on a signal ends the program, also while it reports an error. */
	signals_release(r->signal_fd);
}
#define cleanup_run __attribute__((cleanup(run_done)))

static bool run_is_kernel(const struct run_options *o, const char *arg)
{
	struct stat st;

	if (run_bundle_given(&o->described))
		return true;
	return arg && !o->launch.bundle && stat(arg, &st) == 0 && S_ISREG(st.st_mode);
}

static int run_load(struct run *r, const char *arg, struct bundle **ret, struct err *err)
{
	const struct run_options *o = r->o;
	char id[RUN_BUNDLE_ID_BYTES];
	int rc;

	if (!run_is_kernel(o, arg)) {
		rc = launch_target(&o->launch, arg, &r->target, err);
		return rc < 0 ? rc : bundle_load(r->target.dir, o->launch.config, ret, err);
	}
	if (!arg || o->launch.bundle)
		return err_text(err, EINVAL,
				"options that describe a VM go with a kernel, not with a "
				"bundle");
	if (!getcwd(r->target.dir, sizeof(r->target.dir)))
		return err_set(err, errno, "current directory");
	rc = o->launch.id ? state_check_id(o->launch.id, err) : run_bundle_id(id, err);
	if (rc < 0)
		return rc;
	fmt_into(r->target.id, sizeof(r->target.id), "%s", o->launch.id ? o->launch.id : id);
	return run_bundle_make(&o->described, arg, r->target.dir, o->tty, ret, err);
}

/* Before the launch, so that no signal is lost or kills this process in between. */
static int run_catch_signals(struct run *r, struct err *err)
{
	static const int caught[] = {SIGINT,   SIGTERM, SIGHUP,	 SIGQUIT, SIGTSTP, SIGCONT,
				     SIGWINCH, SIGUSR1, SIGUSR2, SIGALRM, 0};

	signal(SIGPIPE, SIG_IGN);
	r->signal_fd = signals_catch(caught, err);
	return r->signal_fd < 0 ? r->signal_fd : 0;
}

static void run_pass_size_on(struct run *r)
{
	const struct request q = {.op = REQUEST_CONSOLE_SIZE, .value = attach_size()};
	cleanup_fd int dir = -1;
	struct err ignored;

	if (r->attach.sock >= 0 && q.value &&
	    state_open(r->v->root, r->target.id, &dir, &ignored) == 0)
		(void)!client_ask(dir, &q, -1, NULL, NULL, &ignored);
}

static void run_pass_signal_on(struct run *r)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	sig = (int)info.ssi_signo;
	if (sig == SIGWINCH) {
		run_pass_size_on(r);
		return;
	}
	if (sig == SIGTSTP || sig == SIGCONT) {
		/* The VM runs on; only this process stops, and the shell gets its terminal back. */
		if (sig == SIGTSTP) {
			terminal_give_back(run_terminal(r));
			(void)raise(SIGSTOP);
		}
		terminal_take(run_terminal(r));
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
static bool run_obey(struct run *r, enum terminal_wish wish)
{
	switch (wish) {
	case TERMINAL_STAY: return false;
	case TERMINAL_GONE: (void)process_signal(r->pidfd, SIGTERM); break;
	case TERMINAL_QUIT: (void)process_signal(r->pidfd, SIGQUIT); break;
	case TERMINAL_LEAVE: return r->attach.sock >= 0;
	}
	terminal_close(run_terminal(r));
	return false;
}

enum run_slot { RUN_END, RUN_SIGNAL, RUN_KEYS, RUN_SOCK, RUN_SLOTS };

static void run_poll(struct run *r, struct pollfd p[RUN_SLOTS])
{
	p[RUN_END] = (struct pollfd){.fd = r->pidfd, .events = POLLIN};
	p[RUN_SIGNAL] = (struct pollfd){.fd = r->signal_fd, .events = POLLIN};
	p[RUN_KEYS] = (struct pollfd){.fd = r->terminal.raw ? STDIN_FILENO : -1, .events = POLLIN};
	p[RUN_SOCK] = (struct pollfd){.fd = -1};
	if (r->attach.sock >= 0)
		attach_poll(&r->attach, &p[RUN_KEYS]);
}

/* Keys and output, after poll() */
static enum terminal_wish run_serve_terminal(struct run *r, const struct pollfd p[RUN_SLOTS])
{
	enum terminal_wish wish = TERMINAL_STAY;

	if (r->attach.sock < 0)
		return p[RUN_KEYS].revents ? terminal_pump(&r->terminal) : TERMINAL_STAY;
	wish = attach_serve(&r->attach, &p[RUN_KEYS]);
	/* The console has closed its end: that the VM has ended is told elsewhere. */
	if (wish == TERMINAL_GONE && p[RUN_KEYS].revents == 0) {
		attach_close(&r->attach);
		return TERMINAL_STAY;
	}
	return wish;
}

/* Until the VM has ended, or the user detaches: *@ret_detached */
static int run_wait(struct run *r, bool *ret_detached, struct err *err)
{
	struct pollfd p[RUN_SLOTS] = {{.fd = -1}};

	while (!(p[RUN_END].revents & POLLIN)) {
		const bool background = run_terminal(r)->used && !run_terminal(r)->raw;

		run_poll(r, p);
		/* Not every shell sends SIGCONT to a job that it puts into the foreground. */
		if (poll(p, RUN_SLOTS, background ? BACKGROUND_LOOK_MS : -1) < 0 && errno != EINTR)
			return err_set(err, errno, "poll");
		if (p[RUN_SIGNAL].revents & POLLIN)
			run_pass_signal_on(r);
		*ret_detached = run_obey(r, run_serve_terminal(r, p));
		if (*ret_detached)
			return 0;
		if (background)
			terminal_take(run_terminal(r));
	}
	attach_finish(&r->attach);
	return 0;
}

static int run_wait_for_end(struct run *r, int *ret_code, bool *ret_detached, struct err *err)
{
	siginfo_t info = {0};
	const int rc = run_wait(r, ret_detached, err);

	if (rc < 0 || *ret_detached)
		return rc;
	if (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED) < 0)
		return err_set(err, errno, "wait for the supervisor");
	*ret_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

/* Shared with the supervisor, which marks most of them */
static struct phases *run_new_phases(const struct vmrun *v)
{
	struct phases *p;

	if (!v->debug)
		return NULL;
	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	p->start_ns = v->start_ns;
	phases_mark(p, "command line");
	return p;
}

/* A VM with a virtio console has the terminal by a socket, others have its keys by a pipe. */
static int run_open_terminal(struct run *r, int stdio[2], int *ret_theirs, struct err *err)
{
	const uint64_t size = attach_size();
	int rc;

	if (!r->o->tty) {
		rc = terminal_open(&r->terminal, err);
		if (rc == 0 && r->terminal.rd >= 0)
			stdio[0] = r->terminal.rd;
		return rc;
	}
	rc = attach_open(&r->attach, ret_theirs, err);
	stdio[0] = stdio[1] = *ret_theirs;
	plan_console_set_size(r->vm.plan, (uint16_t)(size >> 16), (uint16_t)size);
	return rc;
}

static int run_end(struct run *r, struct vmrun *v, bool detached, struct err *err)
{
	int rc = 0;

	terminal_close(&r->terminal);
	attach_close(&r->attach);
	if (detached)
		dprintf(STDERR_FILENO, "vmrun: detached from %s\r\n", r->target.id);
	else if (!r->o->keep)
		rc = destroy(v->root, r->target.id, true, err);
	phases_mark(r->vm.phases, "deleted");
	if (r->vm.phases)
		phases_print(r->vm.phases, STDERR_FILENO);
	return rc;
}

static int run_foreground(struct run *r, struct vmrun *v, struct err *err)
{
	int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	cleanup_fd int theirs = -1;
	bool detached = false;
	pid_t pid;
	int rc = run_catch_signals(r, err);

	if (rc == 0)
		rc = run_open_terminal(r, stdio, &theirs, err);
	if (rc < 0)
		return rc;
	r->vm.waits = !r->o->keep;
	r->vm.own_fd = r->attach.sock >= 0 ? r->attach.sock : r->terminal.wr;
	rc = launch_go(v, &r->o->launch, &r->vm, stdio, true, true, &pid, err);
	if (rc < 0)
		return rc;
	cleanup_close_fd(&theirs);
	theirs = -1;
	r->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r->pidfd < 0)
		return err_set(err, errno, "supervisor");
	terminal_take(run_terminal(r));
	rc = run_wait_for_end(r, &v->exit_code, &detached, err);
	return rc < 0 ? rc : run_end(r, v, detached, err);
}

static int run_check_tty(const struct run *r, struct err *err)
{
	const char *why = r->o->detach			     ? "excludes --detach"
			  : plan_console_of(r->vm.plan) == 0 ? "the bundle lists no virtio console"
			  : !isatty(STDIN_FILENO)	     ? "standard input is not a terminal"
							     : NULL;

	return r->o->tty && why ? err_text(err, EINVAL, "-t: %s", why) : 0;
}

static int run_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	cleanup_run struct run r = {
		.v = v,
		.o = a->opt,
		.vm = {.console = -1},
		.terminal = {.rd = -1, .wr = -1},
		.attach = {.sock = -1, .terminal = {.rd = -1, .wr = -1}},
		.pidfd = -1,
		.signal_fd = -1,
	};
	const int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	struct bundle *b;
	pid_t pid;
	int rc = run_load(&r, a->nr ? a->arg[0] : NULL, &b, err);

	if (rc < 0)
		return rc;
	r.vm.phases = run_new_phases(v);
	rc = launch_prepare(v, &r.o->launch, b, r.target.id, r.o->detach, &r.vm, err);
	if (rc < 0 || r.o->launch.dry_run)
		return rc;
	rc = run_check_tty(&r, err);
	if (rc < 0)
		return rc;
	if (r.o->detach)
		return launch_go(v, &r.o->launch, &r.vm, stdio, false, true, &pid, err);
	return run_foreground(&r, v, err);
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "[OPTION]... BUNDLE | --bundle DIR ID | KERNEL",
	.summary = "Create a VM, start it, wait for its end, delete it; Ctrl-A x ends it",
	.options = options,
	.opt_bytes = sizeof(struct run_options),
	.max_args = 1,
	.run = run_vm,
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cmd/vmrun/launch.h"
#include "cmd/vmrun/run_bundle.h"
#include "cmd/vmrun/terminal.h"
#include "devices/core/fmt.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/destroy.h"
#include "runtime/supervisor/signals.h"
#include "runtime/util/process.h"

#define BACKGROUND_LOOK_MS 1000

struct run_options {
	struct launch_options launch;
	struct run_bundle_options described;
	bool detach;
	bool keep;
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
	{"mem", 'm', OPTION_COUNT, "MIB", "without a bundle: guest RAM", FIELD(described.mem_mib),
	 NULL},
	{"cpus", 'c', OPTION_COUNT, "N", "without a bundle: vCPUs", FIELD(described.vcpus), NULL},
	{"root-image", 'r', OPTION_STRING, "IMAGE[,format=FORMAT]",
	 "without a bundle: read-only root disk", FIELD(described.root_image), NULL},
	{"rwroot", 0, OPTION_STRING, "IMAGE[,format=FORMAT]",
	 "without a bundle: writable root disk", FIELD(described.rwroot_image), NULL},
	{"disk", 'd', OPTION_LIST, "IMAGE[,format=FORMAT]",
	 "without a bundle: read-only disk, repeatable", FIELD(described.disks), NULL},
	{"rwdisk", 0, OPTION_LIST, "IMAGE[,format=FORMAT]",
	 "without a bundle: writable disk, repeatable", FIELD(described.rwdisks), NULL},
	{"initrd", 'i', OPTION_STRING, "FILE", "without a bundle: initial RAM disk",
	 FIELD(described.initrd), NULL},
	{"params", 'p', OPTION_LIST, "WORDS", "without a bundle: kernel parameters, repeatable",
	 FIELD(described.params), NULL},
	{"net", 0, OPTION_LIST, "MODE[,KEY=VALUE...]",
	 "without a bundle: network device, repeatable; KEY as in config.json",
	 FIELD(described.nets), NULL},
	{"host_ip", 0, OPTION_STRING, "ADDRESS",
	 "without a bundle: a TAP with this address of the host's", FIELD(described.host_ip), NULL},
	{"netmask", 0, OPTION_STRING, "MASK", "of --host_ip", FIELD(described.netmask), NULL},
	{"mac", 0, OPTION_STRING, "MAC", "of --host_ip: the guest's", FIELD(described.mac), NULL},
	{"balloon", 0, OPTION_FLAG, NULL, "without a bundle: a balloon", FIELD(described.balloon),
	 NULL},
	{"vsock", 0, OPTION_STRING, "CID[,socket=PATH]",
	 "without a bundle: vsock device (also cid=CID,...)", FIELD(described.vsock), NULL},
	{.name = NULL},
};

/**
 * struct run - A VM in the foreground
 * @interrupts:	INT signals so far
 */
struct run {
	const struct vmrun *v;
	const struct run_options *o;
	struct launch_vm vm;
	struct launch_target target;
	struct terminal terminal;
	int pidfd;
	int signal_fd;
	unsigned int interrupts;
};

static void run_done(struct run *r)
{
	terminal_close(&r->terminal);
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
	return run_bundle_make(&o->described, arg, r->target.dir, ret, err);
}

/* Before the launch, so that no signal is lost or kills this process in between. */
static int run_catch_signals(struct run *r, struct err *err)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, 0};

	signal(SIGPIPE, SIG_IGN);
	r->signal_fd = signals_catch(caught, err);
	return r->signal_fd < 0 ? r->signal_fd : 0;
}

static void run_pass_signal_on(struct run *r)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	sig = (int)info.ssi_signo;
	if (sig == SIGTSTP || sig == SIGCONT) {
		/* The VM runs on; only this process stops, and the shell gets its terminal back. */
		if (sig == SIGTSTP) {
			terminal_give_back(&r->terminal);
			(void)raise(SIGSTOP);
		}
		terminal_take(&r->terminal);
		return;
	}
	/* The first asks the guest to end; the second ends it. */
	if (sig == SIGINT && r->interrupts++ > 0)
		sig = SIGQUIT;
	(void)process_signal(r->pidfd, sig);
}

static void run_pass_keys_on(struct run *r)
{
	switch (terminal_pump(&r->terminal)) {
	case TERMINAL_STAY: return;
	case TERMINAL_GONE: (void)process_signal(r->pidfd, SIGHUP); break;
	case TERMINAL_QUIT: (void)process_signal(r->pidfd, SIGQUIT); break;
	}
	terminal_close(&r->terminal);
}

static int run_wait_for_end(struct run *r, int *ret_code, struct err *err)
{
	struct pollfd p[] = {
		{.fd = r->pidfd, .events = POLLIN},
		{.fd = r->signal_fd, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
	};
	siginfo_t info = {0};

	while (!(p[0].revents & POLLIN)) {
		const bool background = r->terminal.wr >= 0 && !r->terminal.raw;

		p[2].fd = r->terminal.raw ? STDIN_FILENO : -1;
		/* Not every shell sends SIGCONT to a job that it puts into the foreground. */
		if (poll(p, ARRAY_SIZE(p), background ? BACKGROUND_LOOK_MS : -1) < 0 &&
		    errno != EINTR)
			return err_set(err, errno, "poll");
		if (p[1].revents & POLLIN)
			run_pass_signal_on(r);
		else if (p[2].revents)
			run_pass_keys_on(r);
		else if (background)
			terminal_take(&r->terminal);
	}
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

static int run_foreground(struct run *r, struct vmrun *v, struct err *err)
{
	int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	pid_t pid;
	int rc = run_catch_signals(r, err);

	if (rc == 0)
		rc = terminal_open(&r->terminal, err);
	if (rc < 0)
		return rc;
	if (r->terminal.rd >= 0)
		stdio[0] = r->terminal.rd;
	r->vm.waits = !r->o->keep;
	rc = launch_go(v, &r->o->launch, &r->vm, stdio, true, true, &pid, err);
	if (rc < 0)
		return rc;
	r->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r->pidfd < 0)
		return err_set(err, errno, "supervisor");
	terminal_take(&r->terminal);
	rc = run_wait_for_end(r, &v->exit_code, err);
	terminal_close(&r->terminal);
	if (rc == 0 && !r->o->keep)
		rc = destroy(v->root, r->target.id, true, err);
	phases_mark(r->vm.phases, "deleted");
	if (r->vm.phases)
		phases_print(r->vm.phases, STDERR_FILENO);
	return rc;
}

static int run_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	cleanup_run struct run r = {
		.v = v,
		.o = a->opt,
		.vm = {.console = -1},
		.terminal = {.rd = -1, .wr = -1},
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

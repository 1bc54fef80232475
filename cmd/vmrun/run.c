/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cmd/vmrun/foreground.h"
#include "cmd/vmrun/run_bundle.h"
#include "cmd/vmrun/run_container.h"
#include "cmd/vmrun/start.h"
#include "devices/core/fmt.h"
#include "runtime/plan/plan_console.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/destroy.h"

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

static bool run_is_kernel(const struct run_options *o, const char *arg)
{
	struct stat st;

	if (run_bundle_given(&o->described))
		return true;
	return arg && !o->launch.bundle && stat(arg, &st) == 0 && S_ISREG(st.st_mode);
}

/* What the options say is checked as a bundle is: without a look at the host. */
static int run_describe(struct vmrun *v, const struct run_options *o, const char *kernel,
			struct launch_target *ret_target, struct bundle **ret, struct err *err)
{
	char id[RUN_BUNDLE_ID_BYTES];
	int rc;

	if (!kernel || o->launch.bundle)
		return vmrun_usage(v, err_text(err, EINVAL,
					       "options that describe a VM go with a kernel, not "
					       "with a bundle"));
	if (!getcwd(ret_target->dir, sizeof(ret_target->dir)))
		return err_set(err, errno, "current directory");
	rc = o->launch.id ? vmrun_usage(v, state_check_id(o->launch.id, err))
			  : run_bundle_id(id, err);
	if (rc < 0)
		return rc;
	fmt_into(ret_target->id, sizeof(ret_target->id), "%s", o->launch.id ? o->launch.id : id);
	return vmrun_usage(
		v, run_bundle_make(&o->described, kernel, ret_target->dir, o->tty, ret, err));
}

static int run_load(struct vmrun *v, const struct run_options *o, const char *arg,
		    struct launch_target *ret_target, struct bundle **ret, struct err *err)
{
	int rc;

	if (o->tty && o->detach)
		return vmrun_usage(v, err_text(err, EINVAL, "-t excludes --detach"));
	if (run_is_kernel(o, arg))
		return run_describe(v, o, arg, ret_target, ret, err);
	rc = vmrun_usage(v, launch_target(&o->launch, arg, ret_target, err));
	return rc < 0 ? rc : bundle_load(ret_target->dir, o->launch.config, ret, err);
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

static int run_check_tty(const struct plan *p, struct err *err)
{
	static const char none[] = "no virtio console: add {\"type\": \"console\"} to /vm/devices";
	const char *why = plan_console_of(p) == 0 ? none
			  : !isatty(STDIN_FILENO) ? "standard input is not a terminal"
						  : NULL;

	return why ? err_text(err, EINVAL, "-t: %s", why) : 0;
}

/* Returns when the guest runs; a VM that cannot be started is not left behind. */
static int run_detached(struct vmrun *v, const struct launch_options *o, struct launch_vm *vm,
			const char *id, struct err *err)
{
	const int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	const struct warn_to warn = {vmrun_warn_text, v};
	cleanup_fd int dir = -1;
	struct err ignored;
	pid_t pid;
	int rc = launch_go(v, o, vm, stdio, false, false, &pid, err);

	if (rc < 0)
		return rc;
	rc = state_open(v->root, id, &dir, err);
	if (rc == 0)
		rc = start_created(v, dir, err);
	if (rc < 0)
		(void)!destroy(v->root, id, true, &warn, &ignored);
	return rc;
}

static int run(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct run_options *o = a->opt;
	cleanup_launch_vm struct launch_vm vm = {.console = -1};
	struct launch_target target;
	const struct foreground_job job = {&o->launch, &vm, target.id, o->tty, o->keep};
	struct bundle *b;
	int rc = run_load(v, o, a->nr ? a->arg[0] : NULL, &target, &b, err);

	if (rc < 0)
		return rc;
	vm.phases = run_new_phases(v);
	rc = launch_prepare(v, &o->launch, b, target.id, o->detach, &vm, err);
	if (rc < 0 || o->launch.dry_run)
		return rc;
	rc = o->tty ? run_check_tty(vm.plan, err) : 0;
	if (rc < 0)
		return rc;
	if (o->detach)
		return run_detached(v, &o->launch, &vm, target.id, err);
	return vm.plan->container ? run_container(v, &job, err) : foreground(v, &job, err);
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "[OPTION]... BUNDLE | --bundle DIR ID | KERNEL",
	.summary = "Create a VM, start it, wait for its end, delete it; Ctrl-A x ends it",
	.options = options,
	.opt_bytes = sizeof(struct run_options),
	.max_args = 1,
	.run = run,
};

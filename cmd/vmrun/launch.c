/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/vmrun/pty.h"
#include "devices/core/fmt.h"
#include "runtime/config/host_config.h"
#include "runtime/host/hostfacts.h"
#include "runtime/host/inherited.h"
#include "runtime/host/mount_points.h"
#include "runtime/host/program_look.h"
#include "runtime/host/share_apart.h"
#include "runtime/host/share_look.h"
#include "runtime/jail/caps.h"
#include "runtime/net/net.h"
#include "runtime/plan/plan_json.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_link.h"
#include "runtime/supervisor/pid_file.h"
#include "runtime/supervisor/programs.h"

/* ---- which bundle, which id ---- */

static bool launch_is_bundle(const char *arg)
{
	char path[PATH_MAX];

	if (strchr(arg, '/'))
		return true;
	fmt_into(path, sizeof(path), "%s/config.json", arg);
	return access(path, F_OK) == 0;
}

static int launch_set_id(const char *id, struct launch_target *ret, struct err *err)
{
	int rc = state_check_id(id, err);

	if (rc == 0)
		fmt_into(ret->id, sizeof(ret->id), "%s", id);
	return rc;
}

int launch_target(const struct launch_options *o, const char *arg, struct launch_target *ret,
		  struct err *err)
{
	const bool bundle = arg && !o->bundle && launch_is_bundle(arg);
	const char *dir = bundle ? arg : o->bundle ? o->bundle : ".";
	const char *id = o->id;

	if (arg && !bundle) {
		if (id && strcmp(id, arg) != 0)
			return err_text(err, EINVAL, "two ids given: %s and %s", id, arg);
		id = arg;
	}
	/* Callers of other runtimes spell a bundle like this, and forgot the ID. */
	if (o->bundle && !id)
		return err_text(err, EINVAL, "with --bundle an ID is required");
	if (id && state_check_id(id, err) < 0)
		return -err->code;
	if (!realpath(dir, ret->dir))
		return err_set(err, errno, "bundle %s", dir);
	return launch_set_id(id ? id : strrchr(ret->dir, '/') + 1, ret, err);
}

/* ---- the console ---- */

/* The console's device gets the slave; the listener on the socket gets the master, and owns it. */
static int launch_open_console(const char *path, const struct plan *p, int *ret, struct err *err)
{
	cleanup_pty struct pty pty = PTY_NONE;
	int rc = pty_open(p->cols, p->rows, &pty, err);

	if (rc == 0)
		rc = pty_send(&pty, path, err);
	if (rc == 0)
		*ret = TAKE_FD(pty.slave);
	return rc;
}

static int launch_check_options(const struct plan *p, const struct launch_options *o, bool detached,
				struct err *err)
{
	if (o->preserve_fds)
		return err_text(err, EOPNOTSUPP, "--preserve-fds: " VMRUN_NO_FDS);
	if (p->terminal && detached && !o->console_socket)
		return err_text(err, EINVAL,
				"/process/terminal: cannot allocate tty if vmrun will detach "
				"without setting console socket");
	if (o->console_socket && (!p->terminal || !detached))
		return err_text(
			err, EINVAL,
			"cannot use console socket if vmrun will not detach or allocate tty");
	return 0;
}

/* ---- the VM ---- */

/* Not vmrun_warn(): a log of errors only, or a --log, must not hide it. */
static void launch_warn_of_no_sandbox(const struct vmrun *v)
{
	struct err loud;

	err_text(&loud, EPERM,
		 "WARNING: --disable-sandbox: VMM AND DEVICES RUN WITHOUT JAILS: a guest "
		 "that breaks out of one may do all that this user may");
	vmrun_error(v, &loud);
}

static void launch_show_warnings(const struct vmrun *v, const struct launch_options *o,
				 const struct plan *p)
{
	for (unsigned int i = 0; i < p->nr_warnings; i++)
		vmrun_warn(v, "%s", p->warning[i]);
	if (o->ignored)
		vmrun_warn(v, "--pidfd-socket is not carried out");
	if (p->container && getenv("NOTIFY_SOCKET"))
		vmrun_warn(v, "NOTIFY_SOCKET: the container does not get it: no socket of the host "
			      "reaches a guest");
	if (p->unconfined)
		launch_warn_of_no_sandbox(v);
	if (!o->dry_run && !p->pod && hostfacts_virt("/") == HOSTFACTS_VIRT_SOFTWARE)
		vmrun_warn(v, "KVM only emulates supervisor code here: Linux guests will not boot");
}

static int launch_print_plan(const struct plan *p, struct err *err)
{
	struct json_object *o = plan_to_json(p);
	int rc;

	if (!o)
		return err_set(err, ENOMEM, "plan");
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	rc = vmrun_flush(err);
	json_object_put(o);
	return rc;
}

/* net_setup() reports what cannot be seen now. */
static unsigned int launch_interfaces_of(const char *netns, bool whole, struct netns_id *ret_id)
{
	unsigned int nr = 0;
	struct err ignored;

	if (!netns)
		return caps_has(CAP_SYS_ADMIN);
	(void)!net_count(netns, whole, &nr, ret_id, &ignored);
	return nr;
}

/* Directories of the host that a guest may not have; a program that a container must have */
static int launch_check_files(struct plan *p, const char *root, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < p->nr_fs; i++) {
		for (unsigned int n = 0; rc == 0 && n < p->fs[i].nr; n++) {
			rc = share_keep_apart(&p->fs[i].source[n], root, err);
			/* Only what exists can be covered. */
			if (rc == 0 && p->fs[i].source[n].hidden)
				rc = state_make_root(root, err);
		}
	}
	return rc < 0 ? rc : program_look(p, err);
}

static bool launch_lacks(const char *dir, const char *policy)
{
	char path[PATH_MAX];

	fmt_into(path, sizeof(path), "%s/%s.policy", dir, policy);
	return access(path, F_OK) < 0 && errno == ENOENT;
}

/* The supervisor has the policies in its memory, which is a copy of this process's. */
static int launch_open_programs(const struct vmrun *v, struct launch_vm *vm, struct err *err)
{
	const char *dir = v->policy_dir ? v->policy_dir : vm->plan->policy_dir;
	const char *name[POLICY_DIR_MAX];
	unsigned int nr = 0;
	int rc = 0;

	for (unsigned int i = 0; i < vm->plan->nr_procs; i++) {
		struct plan_proc *p = &vm->plan->proc[i];

		/* A directory that has one policy for a device has it for all of its life. */
		if (dir && p->early && launch_lacks(dir, p->early))
			p->early = NULL;
		if (p->policy)
			name[nr++] = p->policy;
		if (p->early)
			name[nr++] = p->early;
	}
	if (dir && nr > 0)
		rc = policy_dir_load(dir, name, nr, &vm->policies, err);
	return rc < 0 ? rc : programs_open(vm->plan, &vm->policies.of, vm->program, err);
}

int launch_plan(const struct vmrun *v, const struct bundle *b, const char *id, struct plan **ret,
		struct err *err)
{
	cleanup_host_config struct host_config config = {.file = NULL};
	const struct plan_host host = {
		.interfaces = launch_interfaces_of, .look = share_look_at, .config = &config};
	int rc = bundle_is_container(b) ? host_config_load(v->host_config, &config, err) : 0;

	return rc < 0 ? rc : plan_build(b, id, &host, ret, err);
}

int launch_prepare(const struct vmrun *v, const struct launch_options *o, struct bundle *b,
		   const char *id, bool detached, struct launch_vm *ret, struct err *err)
{
	int rc;

	ret->bundle = b;
	ret->console = ret->own_fd = -1;
	phases_mark(ret->phases, "bundle");
	rc = launch_plan(v, b, id, &ret->plan, err);
	if (rc == 0)
		rc = launch_check_options(ret->plan, o, detached, err);
	if (rc < 0)
		return rc;
	if (o->disable_sandbox)
		plan_disable_sandbox(ret->plan);
	phases_mark(ret->phases, "plan");
	launch_show_warnings(v, o, ret->plan);
	if (o->dry_run)
		return launch_print_plan(ret->plan, err);
	if (o->socket)
		rc = state_link_path(o->socket, id, ret->socket, err);
	if (rc < 0)
		return rc;
	/* Before the disks, which a VM of that name probably has locked. */
	rc = pid_file_check(o->pid_file, err);
	if (rc == 0)
		rc = state_check_unused(v->root, id, err);
	if (rc == 0)
		rc = launch_check_files(ret->plan, v->root, err);
	if (rc == 0)
		rc = launch_open_programs(v, ret, err);
	if (rc < 0)
		return rc;
	ret->nr_programs = ret->plan->nr_procs;
	mount_points_make(ret->plan);
	rc = assets_open(ret->plan, &ret->assets, err);
	phases_mark(ret->phases, "assets");
	if (rc == 0)
		rc = inherited_check(ret->plan, ret->assets, err);
	if (rc == 0 && o->console_socket)
		rc = launch_open_console(o->console_socket, ret->plan, &ret->console, err);
	return rc;
}

void launch_vm_done(struct launch_vm *vm)
{
	programs_close(vm->program, vm->nr_programs);
	policy_dir_done(&vm->policies);
	assets_close(vm->assets);
	plan_free(vm->plan);
	bundle_free(vm->bundle);
	if (vm->console > STDERR_FILENO)
		close(vm->console);
	*vm = (struct launch_vm){.console = -1, .own_fd = -1};
}

/* A container's root directory, or the file of the guest's root disk */
static const char *launch_rootfs_of(const struct plan *p)
{
	const struct plan_source *shared = plan_shared_root(p);

	if (shared)
		return shared->path;
	for (unsigned int i = 0; i < p->nr_procs; i++) {
		const struct plan_fd *f = &p->proc[i].fd[BOOT_FD_RES];

		if (i > 0 && f->source == PLAN_FD_FILE && strcmp(f->pointer, "/vm/image/path") == 0)
			return f->path;
	}
	return "";
}

int launch_go(const struct vmrun *v, const struct launch_options *o, struct launch_vm *vm,
	      const int stdio[2], bool to_stderr, bool autostart, pid_t *ret_pid, struct err *err)
{
	const bool pty = vm->console >= 0;
	struct launch l = {
		.root = v->root,
		.plan = vm->plan,
		.assets = vm->assets,
		.config = bundle_text(vm->bundle),
		.rootfs = launch_rootfs_of(vm->plan),
		.socket = *vm->socket ? vm->socket : NULL,
		.stdio = {stdio[0], stdio[1]},
		.console = {pty ? vm->console : stdio[0], pty ? vm->console : stdio[1]},
		.pid_file = o->pid_file,
		.autostart = autostart,
		.waits = vm->waits,
		.own_fd = vm->own_fd,
		.warn = vmrun_warn_text,
		.arg = (void *)v,
		.phases = vm->phases,
	};
	int rc = vmrun_open_log(v, &l.log, err);

	if (rc < 0)
		return rc;
	if (!v->log && to_stderr)
		oci_log_stderr(v->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, &l.log);
	memcpy(l.program, vm->program, sizeof(l.program));
	rc = launch(&l, ret_pid, err);
	oci_log_close(&l.log);
	return rc;
}

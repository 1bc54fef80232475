/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cmd/vmrun/exec_process.h"
#include "cmd/vmrun/exec_session.h"
#include "runtime/config/bundle.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/client_exec.h"
#include "runtime/supervisor/pid_file.h"
#include "runtime/util/json.h"

/* @apparmor, @label: what has no meaning in a guest of its own */
struct exec_options {
	struct exec_process_options process;
	bool detach, ignore_paused;
	const char *console_socket, *pid_file;
	const char *apparmor, *label;
	uint64_t preserve_fds;
};

#define FIELD(f) offsetof(struct exec_options, f)

static const struct option_spec options[] = {
	{"process", 'p', OPTION_STRING, "FILE", "run the process of this process.json",
	 FIELD(process.process), NULL},
	{"detach", 'd', OPTION_FLAG, NULL, "do not wait for its end", FIELD(detach), NULL},
	{"tty", 't', OPTION_FLAG, NULL, "give it a terminal", FIELD(process.tty), NULL},
	{"console-socket", 0, OPTION_STRING, "SOCKET", "send the terminal's pty master there",
	 FIELD(console_socket), NULL},
	{"pid-file", 0, OPTION_STRING, "FILE",
	 "write the pid of the process that stands for it on the host", FIELD(pid_file), NULL},
	{"cwd", 0, OPTION_STRING, "DIR", "its working directory in the container",
	 FIELD(process.cwd), NULL},
	{"env", 'e', OPTION_LIST, "NAME=VALUE", "set a variable of its environment",
	 FIELD(process.env), NULL},
	{"user", 'u', OPTION_STRING, "UID[:GID]", "run it as this user", FIELD(process.user), NULL},
	{"additional-gids", 'g', OPTION_LIST, "GID", "add a group", FIELD(process.gids), NULL},
	{"cap", 'c', OPTION_LIST, "CAP", "add a capability", FIELD(process.caps), NULL},
	{"no-new-privs", 0, OPTION_FLAG, NULL, "it cannot gain privileges",
	 FIELD(process.no_new_privs), NULL},
	{"cgroup", 0, OPTION_STRING, "PATH", "run it in this cgroup below the container's",
	 FIELD(process.cgroup), NULL},
	{"ignore-paused", 0, OPTION_FLAG, NULL,
	 "in a paused container it begins when that is resumed", FIELD(ignore_paused), NULL},
	{"preserve-fds", 0, OPTION_NUMBER, "N", NULL, FIELD(preserve_fds), NULL},
	{"apparmor", 0, OPTION_STRING, "PROFILE", NULL, FIELD(apparmor), NULL},
	{"process-label", 0, OPTION_STRING, "LABEL", NULL, FIELD(label), NULL},
	{.name = NULL},
};

static int exec_check_status(const struct state *s, const struct exec_options *o, struct err *err)
{
	switch (s->status) {
	case STATE_RUNNING: return 0;
	case STATE_STOPPED: return err_text(err, EINVAL, "cannot exec in a stopped container");
	case STATE_PAUSED:
		return o->ignore_paused
			       ? 0
			       : err_text(err, EINVAL, "cannot exec in a paused container");
	case STATE_CREATING:
	case STATE_CREATED:
	case STATE_STATUSES: break;
	}
	return err_text(err, EINVAL, "cannot exec in a container that has not started");
}

/* The bundle as create read it, whatever became of it since */
static int exec_load_bundle(int dir, const struct exec_options *o, struct bundle **ret,
			    struct err *err)
{
	cleanup_json struct json_object *root = NULL;
	cleanup_free char *text = NULL;
	struct state *s;
	int rc = state_load(dir, &s, err);

	if (rc < 0)
		return rc;
	rc = exec_check_status(s, o, err);
	if (rc == 0)
		rc = state_read_text(dir, STATE_CONFIG, &text, err);
	if (rc == 0)
		rc = json_parse(text, strlen(text), STATE_CONFIG, &root, err);
	if (rc == 0)
		rc = bundle_from_json(root, s->bundle, ret, err);
	state_free(s);
	return rc;
}

static int exec_check_console(const struct exec_options *o, bool terminal, struct err *err)
{
	if (terminal && o->detach && !o->console_socket)
		return err_text(err, EINVAL,
				"cannot allocate tty if vmrun will detach without setting console "
				"socket");
	if (o->console_socket && (!terminal || !o->detach))
		return err_text(
			err, EINVAL,
			"cannot use console socket if vmrun will not detach or allocate tty");
	return 0;
}

static int exec_go(struct vmrun *v, const struct verb_args *a, int dir, const struct bundle *b,
		   struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	const struct exec_options *o = a->opt;
	struct exec_process p = {.spec = -1};
	struct exec_job job;
	int rc;

	if (!bundle_is_container(b))
		return err_text(
			err, ENOTSUP,
			"the guest has no vmrun-init: exec needs a bundle without vm.kernel");
	rc = exec_process_describe(&o->process, b, a->nr - 1, a->arg + 1, &warn, &p, err);
	if (rc == 0)
		rc = exec_check_console(o, p.terminal, err);
	if (rc == 0) {
		job = (struct exec_job){
			.dir = dir,
			.spec = p.spec,
			.terminal = p.terminal,
			.detach = o->detach,
			.ignore_paused = o->ignore_paused,
			.cols = p.cols,
			.rows = p.rows,
			.console_socket = o->console_socket,
			.pid_file = o->pid_file,
		};
		rc = exec_session(v, &job, err);
	}
	cleanup_close_fd(&p.spec);
	return rc;
}

/* What names something of the host's kernel */
static int exec_check_options(const struct vmrun *v, const struct exec_options *o, struct err *err)
{
	if (o->apparmor || o->label)
		vmrun_warn(v, "%s is not carried out: the guest's kernel has no such policy",
			   o->apparmor ? "--apparmor" : "--process-label");
	return o->preserve_fds ? err_text(err, EOPNOTSUPP, "--preserve-fds: " VMRUN_NO_FDS) : 0;
}

static int exec(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct exec_options *o = a->opt;
	struct bundle *b = NULL;
	cleanup_fd int dir = -1;
	int rc;

	if (!o->process.process && a->nr < 2)
		return vmrun_usage(v, err_text(err, EINVAL, "exec needs a command or --process"));
	v->exit_code = CLIENT_EXEC_FAILED;
	rc = exec_check_options(v, o, err);
	if (rc == 0)
		rc = pid_file_check(o->pid_file, err);
	if (rc == 0)
		rc = state_open(v->root, a->arg[0], &dir, err);
	if (rc == 0)
		rc = exec_load_bundle(dir, o, &b, err);
	if (rc == 0)
		rc = exec_go(v, a, dir, b, err);
	bundle_free(b);
	return rc;
}

const struct verb verb_exec = {
	.name = "exec",
	.synopsis = "[OPTION]... ID COMMAND [ARGUMENT]... | --process FILE ID",
	.summary = "Run another program in a container; exits with its status",
	.options = options,
	.opt_bytes = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = UINT_MAX,
	.of_vm = true,
	.words = true,
	.run = exec,
};

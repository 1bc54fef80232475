/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>

#include "cmd/vmrun/vmrun.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/client.h"
#include "runtime/util/signal_names.h"

#define KILL_MS 10000

struct kill_options {
	bool all;
};

static const struct option_spec options[] = {
	{"all", 'a', OPTION_FLAG, NULL,
	 "signal all processes of a container; succeed also when it has stopped",
	 offsetof(struct kill_options, all), NULL},
	{.name = NULL},
};

static int kill_supervisor(int dir, const struct state *s, struct err *err)
{
	struct state *now;
	int rc = process_kill(&s->supervisor, KILL_MS);

	if (rc < 0)
		return err_set(err, -rc, "kill the supervisor");
	if (s->status != STATE_CREATING || state_load(dir, &now, err) < 0)
		return 0;
	/* That pid may have been the launcher's, which had just finished. */
	rc = now->status != STATE_CREATING && now->status != STATE_STOPPED
		     ? client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, err)
		     : 0;
	state_free(now);
	return rc;
}

static int kill_ask(int dir, const struct state *s, int sig, bool all, struct err *err)
{
	const struct request q = {
		.op = REQUEST_KILL, .arg = (uint32_t)sig, .value = all ? REQUEST_KILL_ALL : 0};
	const bool unborn = s->status == STATE_CREATING;
	int rc = client_ask(dir, &q, -1, NULL, NULL, err);

	/* Kill a supervisor that hangs (stopped by a debugger, for example) too. One that is being created does not
	 * listen yet. */
	if (sig == SIGKILL && (rc == -ETIMEDOUT || (unborn && rc == -ESRCH)))
		return kill_supervisor(dir, s, err);
	if (unborn && rc == -ESRCH)
		return err_text(err, EBUSY, "the container is being created");
	return rc;
}

static int kill_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct kill_options *o = a->opt;
	const int sig = vmrun_usage(v, signal_parse(a->nr > 1 ? a->arg[1] : "TERM", err));
	cleanup_fd int dir = -1;
	struct state *s;
	int rc;

	if (sig < 0)
		return sig;
	rc = state_open(v->root, a->arg[0], &dir, err);
	if (rc == 0)
		rc = state_load(dir, &s, err);
	if (rc < 0)
		return rc;
	if (s->status == STATE_STOPPED)
		rc = err_text(err, ESRCH, "container not running");
	else
		rc = kill_ask(dir, s, sig, o->all, err);
	state_free(s);
	return rc == -ESRCH && o->all ? 0 : rc;
}

const struct verb verb_kill = {
	.name = "kill",
	.synopsis = "[--all] ID [SIGNAL]",
	.summary =
		"Signal a container's process, or a VM: TERM presses its power button (default), "
		"INT is Ctrl-Alt-Del, KILL ends it at once",
	.options = options,
	.opt_bytes = sizeof(struct kill_options),
	.min_args = 1,
	.max_args = 2,
	.of_vm = true,
	.run = kill_vm,
};

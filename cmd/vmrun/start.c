/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/start.h"

#include <errno.h>
#include <signal.h>

#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/hooks.h"

int start_created(struct vmrun *v, int dir, struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	struct err ignored;
	int rc = client_ask_op(dir, REQUEST_START, 0, &warn, err);

	if (rc < 0)
		return rc;
	rc = hooks_start(dir, err);
	if (rc < 0)
		(void)!client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, &ignored);
	return rc;
}

static int start_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	cleanup_fd int dir = -1;
	struct state *s;
	enum state_status status;
	int rc = state_open(v->root, a->arg[0], &dir, err);

	if (rc == 0)
		rc = state_load(dir, &s, err);
	if (rc < 0)
		return rc;
	status = s->status;
	state_free(s);
	if (status == STATE_RUNNING)
		return err_text(err, EINVAL, "cannot start an already running container");
	if (status == STATE_PAUSED)
		return err_text(err, EINVAL, "cannot start a container in the paused state");
	if (status == STATE_CREATING)
		return err_text(err, EBUSY, "the container is being created");
	if (status == STATE_STOPPED)
		return err_text(err, EINVAL, "cannot start a container that has stopped");
	return start_created(v, dir, err);
}

const struct verb verb_start = {
	.name = "start",
	.synopsis = "ID",
	.summary = "Let the guest of a created VM run",
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = start_vm,
};

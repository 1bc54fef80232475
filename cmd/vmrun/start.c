/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/start.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/hooks.h"

#define START_TRIES 250 /* 5 s */

int start_ask(int dir, struct err *err)
{
	const struct request q = {.op = REQUEST_START};

	return client_send(dir, &q, -1, err);
}

int start_answered(struct vmrun *v, int dir, int sock, struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	struct err ignored;
	int rc = client_hear(sock, &warn, NULL, err);

	if (rc < 0)
		return rc;
	rc = hooks_start(dir, err);
	if (rc < 0)
		(void)!client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, &ignored);
	return rc;
}

int start_created(struct vmrun *v, int dir, struct err *err)
{
	cleanup_fd int sock = start_ask(dir, err);

	return sock < 0 ? sock : start_answered(v, dir, sock, err);
}

static int start_status(int dir, enum state_status *ret, struct err *err)
{
	struct state *s;
	int rc = state_load(dir, &s, err);

	if (rc < 0)
		return rc;
	*ret = s->status;
	state_free(s);
	return 0;
}

static int start_once(struct vmrun *v, int dir, struct err *err)
{
	enum state_status status = STATE_CREATING;
	int rc = start_status(dir, &status, err);

	if (rc < 0)
		return rc;
	if (status == STATE_RUNNING)
		return err_text(err, EINVAL, "cannot start an already running container");
	if (status == STATE_PAUSED)
		return err_text(err, EINVAL, "cannot start a container in the paused state");
	if (status == STATE_STOPPED)
		return err_text(err, EINVAL, "cannot start a container that has stopped");
	if (status == STATE_CREATING)
		return err_text(err, EINPROGRESS, "the container is being created");
	return start_created(v, dir, err);
}

static int start_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	cleanup_fd int dir = -1;
	int rc = state_open(v->root, a->arg[0], &dir, err);

	if (rc == 0)
		rc = start_once(v, dir, err);
	/* Callers of runc and crun start what state shows though create has not returned; there start waits, too. */
	for (unsigned int i = 0; rc == -EINPROGRESS && i < START_TRIES; i++) {
		nanosleep(&pause, NULL);
		rc = start_once(v, dir, err);
	}
	return rc;
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

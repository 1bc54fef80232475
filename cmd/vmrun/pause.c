/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "cmd/vmrun/vmrun.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/client.h"

static int pause_ask(struct vmrun *v, const struct verb_args *a, enum request_op op,
		     struct err *err)
{
	cleanup_fd int dir = -1;
	const int rc = state_open(v->root, a->arg[0], &dir, err);

	return rc < 0 ? rc : client_ask_op(dir, op, 0, NULL, err);
}

static int pause_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	return pause_ask(v, a, REQUEST_PAUSE, err);
}

static int pause_resume_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const int rc = pause_ask(v, a, REQUEST_RESUME, err);

	return rc == -ESRCH ? err_text(err, ESRCH, "container not paused") : rc;
}

const struct verb verb_pause = {
	.name = "pause",
	.synopsis = "ID",
	.summary = "Stop a VM's time: no vCPU runs, no device works for the guest",
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = pause_vm,
};

const struct verb verb_resume = {
	.name = "resume",
	.synopsis = "ID",
	.summary = "Let a paused VM go on, with the right time and new random numbers",
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = pause_resume_vm,
};

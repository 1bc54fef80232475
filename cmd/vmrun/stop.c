/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>

#include "cmd/vmrun/vmrun.h"
#include "runtime/state/state_link.h"
#include "runtime/supervisor/client.h"

static int stop(struct vmrun *v UNUSED, const struct verb_args *a, struct err *err)
{
	cleanup_fd int dir = -1;
	int rc = state_link_open(a->arg[0], &dir, err);

	return rc < 0 ? rc : client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, err);
}

const struct verb verb_stop = {
	.name = "stop",
	.synopsis = "SOCKET",
	.summary = "End the VM of run --socket SOCKET at once, as crosvm stop does",
	.min_args = 1,
	.max_args = 1,
	.stateless = true,
	.run = stop,
};

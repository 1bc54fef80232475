/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>

#include "cmd/vmrun/vmrun.h"
#include "runtime/state/state_link.h"
#include "runtime/supervisor/client.h"

static int stop(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	cleanup_fd int dir = -1;
	int rc;

	if (!*a->arg[0])
		return vmrun_usage(v, err_text(err, EINVAL, "stop: SOCKET is empty"));
	rc = state_link_open(a->arg[0], &dir, err);
	if (rc < 0)
		return rc;
	rc = client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, err);
	return rc < 0 ? err_wrap(err, "%s", a->arg[0]) : 0;
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

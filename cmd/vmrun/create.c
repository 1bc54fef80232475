/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/launch.h"

struct create_options {
	struct launch_options launch;
};

static const struct option_spec options[] = {
	LAUNCH_OPTIONS(struct create_options),
	{.name = NULL},
};

static int create(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct create_options *o = a->opt;
	const int stdio[2] = {STDIN_FILENO, STDOUT_FILENO};
	cleanup_launch_vm struct launch_vm vm = {.console = -1};
	struct launch_target t;
	struct bundle *b;
	pid_t pid;
	int rc = vmrun_usage(v, launch_target(&o->launch, a->nr ? a->arg[0] : NULL, &t, err));

	if (rc == 0)
		rc = bundle_load(t.dir, o->launch.config, &b, err);
	if (rc == 0)
		rc = launch_prepare(v, &o->launch, b, t.id, true, &vm, err);
	if (rc < 0 || o->launch.dry_run)
		return rc;
	return launch_go(v, &o->launch, &vm, stdio, false, false, &pid, err);
}

const struct verb verb_create = {
	.name = "create",
	.synopsis = "[OPTION]... BUNDLE | --bundle DIR ID",
	.summary = "Create a VM from a bundle: everything prepared, the guest not started",
	.options = options,
	.opt_bytes = sizeof(struct create_options),
	.max_args = 1,
	.run = create,
};

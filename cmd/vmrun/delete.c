/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/vmrun.h"
#include "runtime/supervisor/destroy.h"

struct delete_options {
	bool force;
};

static const struct option_spec options[] = {
	{"force", 'f', OPTION_FLAG, NULL, "kill it first if it runs; succeed if it does not exist",
	 offsetof(struct delete_options, force), NULL},
	{.name = NULL},
};

static int delete_vm(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct warn_to warn = {vmrun_warn_text, v};
	const struct delete_options *o = a->opt;

	return destroy(v->root, a->arg[0], o->force, &warn, err);
}

const struct verb verb_delete = {
	.name = "delete",
	.synopsis = "[--force] ID",
	.summary = "Undo create, leaving nothing of the VM behind; run its poststop hooks",
	.options = options,
	.opt_bytes = sizeof(struct delete_options),
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = delete_vm,
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>

#include "cmd/vmrun/vmrun.h"

/* podman asks by itself whether CRIU is there; others read the error. */
static int checkpoint(struct vmrun *v UNUSED, const struct verb_args *a UNUSED, struct err *err)
{
	return err_text(err, ENOTSUP, "a VM cannot be checkpointed or restored");
}

const struct verb verb_checkpoint = {
	.name = "checkpoint",
	.synopsis = "...",
	.summary = "Not possible: says so",
	.max_args = UINT_MAX,
	.raw = true,
	.stateless = true,
	.run = checkpoint,
};

const struct verb verb_restore = {
	.name = "restore",
	.synopsis = "...",
	.summary = "Not possible: says so",
	.max_args = UINT_MAX,
	.raw = true,
	.stateless = true,
	.run = checkpoint,
};

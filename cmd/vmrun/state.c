/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "cmd/vmrun/vmrun.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/state/state_json.h"

static int state(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	cleanup_fd int dir = -1;
	struct json_object *o;
	struct state *s;
	int rc = state_open(v->root, a->arg[0], &dir, err);

	if (rc == 0)
		rc = state_load(dir, &s, err);
	if (rc < 0)
		return rc;
	o = state_to_oci(s);
	state_free(s);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	rc = vmrun_flush(err);
	json_object_put(o);
	return rc;
}

const struct verb verb_state = {
	.name = "state",
	.synopsis = "ID",
	.summary = "Print the OCI state of a VM, with why and how it ended",
	.min_args = 1,
	.max_args = 1,
	.of_vm = true,
	.run = state,
};

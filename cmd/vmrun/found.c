/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/found.h"

#include <errno.h>

#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"

int found_open(const struct vmrun *v, const char *id, struct found *ret, struct err *err)
{
	int rc = state_open(v->root, id, &ret->dir, err);

	if (rc == 0)
		rc = state_load(ret->dir, &ret->state, err);
	if (rc < 0)
		return rc;
	if (ret->state->status == STATE_STOPPED)
		return err_text(err, ESRCH, "container not running");
	return cgroup_found(ret->state->cgroup_dir, ret->state->nr_cgroup_dirs, &ret->cgroup, err);
}

void found_done(struct found *f)
{
	cleanup_close_fd(&f->dir);
	state_free(f->state);
	cgroup_done(&f->cgroup);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM that runs, and its cgroups: what ps, events and update begin with
 */
#ifndef VMRUN_CMD_VMRUN_FOUND_H
#define VMRUN_CMD_VMRUN_FOUND_H

#include "cmd/vmrun/vmrun.h"
#include "runtime/host/cgroup_found.h"
#include "runtime/state/state.h"

/** struct found - found_done() is safe on a zeroed one with @dir -1 */
struct found {
	int dir;
	struct state *state;
	struct cgroup cgroup;
};

/**
 * found_open() - Find the VM @id
 *
 * Return: 0; -ESRCH "container not running", when it has stopped; -ENOENT
 */
MUST_CHECK int found_open(const struct vmrun *v, const char *id, struct found *ret,
			  struct err *err);
void found_done(struct found *f);
#define cleanup_found __attribute__((cleanup(found_done)))

#endif

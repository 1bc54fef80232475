/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Leaving nothing behind
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_DESTROY_H
#define VMRUN_RUNTIME_SUPERVISOR_DESTROY_H

#include "devices/core/err.h"
#include "runtime/state/state.h"

/**
 * destroy_remains() - Kill survivors, remove cgroups, networks and state directory
 * @dir:	State directory, whose lock the caller holds
 * @s:		What was recorded, or NULL when nothing was yet
 *
 * Survivors are found by what was recorded, pid and start time; who else is in the cgroup is left alone,
 * and the cgroup with it. A caller that sat in it itself (the supervisor, undoing alone) has left before.
 * Return: 0 with nothing left, or the first failure after trying everything else too; the state
 * directory stays then, so that it can be tried again
 */
MUST_CHECK int destroy_remains(const char *root, const char *id, int dir, const struct state *s,
			       struct err *err);

/**
 * destroy() - What delete does
 * @force:	Kill it if it runs; a VM that does not exist is a success
 *
 * A VM that was created but not started is killed without @force too, as runc does.
 * Return: 0; -ENOENT "container does not exist"; -EBUSY when it runs; or -errno
 */
MUST_CHECK int destroy(const char *root, const char *id, bool force, struct err *err);

#endif

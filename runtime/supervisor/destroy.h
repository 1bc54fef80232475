/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Removing a VM, whatever happened to it before
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_DESTROY_H
#define VMRUN_RUNTIME_SUPERVISOR_DESTROY_H

#include "devices/core/err.h"
#include "runtime/state/state.h"
#include "runtime/util/warn.h"

/**
 * destroy_remains() - Kill survivors, remove cgroups, networks and state directory
 * @dir:	State directory, whose lock the caller holds
 * @s:		What was recorded, or NULL when nothing was yet
 *
 * Finds survivors by their recorded pid and start time. Leaves other processes in the cgroup alone, and the cgroup
 * with them. A caller in the cgroup (the supervisor, when the launcher is gone) leaves it before.
 * Return: 0 with nothing left, or the first failure after trying everything else too; then the state
 * directory stays, for another try
 */
MUST_CHECK int destroy_remains(const char *root, const char *id, int dir, const struct state *s,
			       struct err *err);

/**
 * destroy() - What delete does
 * @force:	Kill it if it runs; succeed if it does not exist
 * @warn:	Receives a line for each hook that fails; may be NULL
 *
 * Kills a VM that was created but not started also without @force, as runc does. When nothing is left, its hooks for
 * that moment run (hooks.h).
 * Return: 0; -ENOENT "container does not exist"; -EBUSY when it runs; or -errno
 */
MUST_CHECK int destroy(const char *root, const char *id, bool force, const struct warn_to *warn,
		       struct err *err);

#endif

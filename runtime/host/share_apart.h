/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What is shared with a guest has nothing of vmrun's own state in it
 *
 * `kill`, `delete` and the others believe what the directories of state say: of which process a VM is, where its
 * supervisor listens. A guest that could change them would act as their user. Reading them, it would see other VMs.
 * Callers do share a whole /run or / with a container: there an empty directory takes their place, and the directories on
 * the way to it keep their names (share_open()).
 */
#ifndef VMRUN_RUNTIME_HOST_SHARE_APART_H
#define VMRUN_RUNTIME_HOST_SHARE_APART_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

/**
 * share_keep_apart() - Hide the directory of all states in a source that has it somewhere below
 * @s:		@hidden is set. One that has no name is refused instead, and so is one in the directory, or it itself,
 *		and an overlay with such a layer
 * @root:	That directory, which may not exist yet
 *
 * Directories are compared as such, whatever their paths. A mount further down in the source is not seen, and neither
 * are directories of state that other commands have been told (--root).
 * Context: setup
 * Syscalls: newfstatat readlink
 * Return: 0, -ENOMEM or -EINVAL. A source that cannot be found is left to share_open()
 */
MUST_CHECK int share_keep_apart(struct plan_source *s, const char *root, struct err *err);

#endif

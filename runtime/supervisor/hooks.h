/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The hooks of a VM, run by the verbs: OCI config.md, "POSIX-platform Hooks"
 *
 *   create   prestart, createRuntime, createContainer: everything is prepared, and no caller knows of the VM yet. If one
 *            fails, create is undone
 *   start    poststart: the guest runs. If one fails, the VM is killed
 *   delete   poststop: nothing is left. If one fails, that is a warning. Also after a create whose hooks had begun
 *
 * Never by the supervisor: it does not wait for programs. startContainer is the guest's.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_HOOKS_H
#define VMRUN_RUNTIME_SUPERVISOR_HOOKS_H

#include "runtime/plan/plan_hooks.h"
#include "runtime/state/state.h"
#include "runtime/util/warn.h"

/** hooks_create() - Run those of create; the state directory @dir has the VM's state */
MUST_CHECK int hooks_create(const struct plan_hooks *h, int dir, struct err *err);

/** hooks_start() - Run those of start, which the copy of config.json in @dir has */
MUST_CHECK int hooks_start(int dir, struct err *err);

/** hooks_load() - Read all from the copy of config.json in @dir; *@ret is the caller's in any case */
MUST_CHECK int hooks_load(int dir, struct plan_hooks *ret, struct err *err);

/**
 * hooks_stopped() - Run those of delete, all of them
 * @s:		The last that was known of the VM; its status becomes stopped
 * @warn:	Receives a line for each that fails; may be NULL
 */
void hooks_stopped(const struct plan_hooks *h, struct state *s, const struct warn_to *warn);

#endif

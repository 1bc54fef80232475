/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What holds a pod: a supervisor without a VM
 *
 * It waits in the pod's namespaces, answers users and keeps its state on file. Until the launcher has acknowledged it,
 * it may have to undo what was made, by paths; from then on `delete` does that, and it is in a jail.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_HOLDER_H
#define VMRUN_RUNTIME_SUPERVISOR_HOLDER_H

#include "runtime/supervisor/supervisor.h"

/**
 * holder_prepare() - Do what can fail, while create can still say so
 *
 * Syscalls: unshare close
 */
MUST_CHECK int holder_prepare(struct supervisor *s, struct err *err);

/** holder_confine() - Into the jail, unless the user wants none.  Syscalls: those of self_confine() */
MUST_CHECK int holder_confine(struct supervisor *s, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Running one hook: a program of the host's owner
 *
 * The OCI state is on its standard input. Its standard output goes nowhere, because that of create is the VM's; what
 * it writes to its standard error is part of the error if it fails. It runs in the process group of the verb, so that
 * Ctrl-C reaches both, and dies with the verb.
 */
#ifndef VMRUN_RUNTIME_HOST_HOOK_H
#define VMRUN_RUNTIME_HOST_HOOK_H

#include "devices/core/err.h"
#include "runtime/plan/plan_types.h"

/**
 * struct hook_place - Where a hook runs
 * @state:	The OCI state, JSON text
 * @cwd:	Its working directory; "/" where that is gone
 * @netns:	Path of the network namespace; NULL: the caller's
 */
struct hook_place {
	const char *state;
	const char *cwd;
	const char *netns;
};

/**
 * hook_run() - Run it and wait for its end, or for its time to be over
 *
 * Of a hook that takes too long only the program itself is killed, as runc has it.
 * Context: a process with one thread, which does not wait for all its children
 * Syscalls: memfd_create write pipe2 fork pidfd_open poll read waitid kill; of the child: prctl setns chdir dup2
 *	close_range execve
 * Return: 0 when it exited with 0; -ETIMEDOUT; -ECHILD when it failed; or why it could not be run
 */
MUST_CHECK int hook_run(const struct plan_hook *h, const struct hook_place *place, struct err *err);

#endif

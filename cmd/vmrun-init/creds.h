/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the program may do: limits, scheduling, user, groups, capabilities, seccomp
 */
#ifndef VMRUN_CMD_VMRUN_INIT_CREDS_H
#define VMRUN_CMD_VMRUN_INIT_CREDS_H

#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/fault.h"

/** creds_oom_score() - Write it, with the guest's own /proc: 0 where the description has none. Return: 0 or -errno */
MUST_CHECK int creds_oom_score(const struct agent_process *p, struct fault *f);

/** creds_limits() - Limits of resources, scheduler, I/O priority. Return: 0 or -errno */
MUST_CHECK int creds_limits(const struct desc *d, const struct agent_process *p, struct fault *f);

/**
 * creds_filters() - Load the seccomp programs, in their order
 *
 * Without no_new_privs they need CAP_SYS_ADMIN, and so come before creds_user(); with it, last of all.
 * Return: 0 or -errno
 */
MUST_CHECK int creds_filters(const struct desc *d, struct fault *f);

/** creds_user() - Become the user, with the description's groups and capabilities alone. Return: 0 or -errno */
MUST_CHECK int creds_user(const struct desc *d, const struct agent_process *p, struct fault *f);

#endif

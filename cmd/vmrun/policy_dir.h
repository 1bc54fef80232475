/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Policies that a user has as text, compiled when a VM or a device is started
 *
 * A child parses them (parser.h). What it answers is checked in size and for bytes that do not print; the kernel checks the
 * programs.
 */
#ifndef VMRUN_CMD_VMRUN_POLICY_DIR_H
#define VMRUN_CMD_VMRUN_POLICY_DIR_H

#include "policies/policy.h"
#include "runtime/supervisor/programs.h"

#define POLICY_DIR_MAX (2 * PLAN_PROCS_MAX)

struct policy_dir_text;

/** struct policy_dir - Policies; zero-initialised, ended by policy_dir_done() */
struct policy_dir {
	struct programs_policies of;
	struct policy policy[POLICY_DIR_MAX];
	struct policy_dir_text *text;
};

/**
 * policy_dir_load() - Compile DIR/NAME.policy for each name
 * @name:	@nr of them, at most POLICY_DIR_MAX, which live as long as @ret; one may be there several times
 */
MUST_CHECK int policy_dir_load(const char *dir, const char *const *name, unsigned int nr,
			       struct policy_dir *ret, struct err *err);

/** policy_dir_done() - Free them */
void policy_dir_done(struct policy_dir *p);
#define cleanup_policy_dir __attribute__((cleanup(policy_dir_done)))

#endif

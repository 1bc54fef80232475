/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The options of `vmrun policy`
 */
#ifndef VMRUN_CMD_VMRUN_POLICY_OPTIONS_H
#define VMRUN_CMD_VMRUN_POLICY_OPTIONS_H

#include "devices/core/base.h"

/** struct policy_options - Which of its verbs takes which, policy.c says */
struct policy_options {
	const char *arch;
	const char *output;
	uint64_t seconds;
	bool fds;
	bool run;
};

#endif

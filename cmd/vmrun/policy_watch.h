/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: `vmrun policy stats` and `vmrun policy learn`: policies held against what processes do
 */
#ifndef VMRUN_CMD_VMRUN_POLICY_WATCH_H
#define VMRUN_CMD_VMRUN_POLICY_WATCH_H

#include "cmd/vmrun/policy_options.h"
#include "cmd/vmrun/vmrun.h"

/**
 * policy_stats() - Print which rules a VM's processes use, or those of a command
 * @args:	The VM's id; with @o->run the command, whose exit code becomes the program's
 */
MUST_CHECK int policy_stats(struct vmrun *v, const struct policy_options *o, unsigned int nr,
			    char **args, struct err *err);

/**
 * policy_learn() - Run a command, and write policies that allow what its jailed processes did
 * @args:	@nr words; NULL behind them
 *
 * @o->output is a directory that does not exist, or is empty; NULL: standard output.
 */
MUST_CHECK int policy_learn(struct vmrun *v, const struct policy_options *o, unsigned int nr,
			    char **args, struct err *err);

#endif

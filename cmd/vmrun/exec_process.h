/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The process of an exec: from the command line or process.json to its description
 */
#ifndef VMRUN_CMD_VMRUN_EXEC_PROCESS_H
#define VMRUN_CMD_VMRUN_EXEC_PROCESS_H

#include "cmd/vmrun/options.h"
#include "devices/core/err.h"
#include "runtime/util/warn.h"

struct bundle;

/**
 * struct exec_process_options - What the command line says of it
 * @process:	File that says it all; NULL: the container's own process, changed by the rest
 * @user:	"UID[:GID]", or NULL
 * @cgroup:	Below the container's, or NULL
 * @caps, @gids, @env: In addition to those of the container's process
 */
struct exec_process_options {
	const char *process;
	bool tty, no_new_privs;
	const char *cwd, *user, *cgroup;
	struct option_list env, gids, caps;
};

/**
 * struct exec_process - What else there is to know of it
 * @spec:	File in memory with its description (agent_spec.h), -1: none; the caller's
 * @cols, @rows: 0: not given
 */
struct exec_process {
	int spec;
	bool terminal;
	uint16_t cols, rows;
};

/**
 * exec_process_describe() - Describe it
 * @b:		The container's bundle
 * @argv:	Its command line, @argc words; unused with @o->process
 * @warn:	Receives warnings
 *
 * Return: 0, or -EINVAL with what is wrong
 */
MUST_CHECK int exec_process_describe(const struct exec_process_options *o, const struct bundle *b,
				     unsigned int argc, char **argv, const struct warn_to *warn,
				     struct exec_process *ret, struct err *err);

#endif

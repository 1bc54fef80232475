/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One program in a container, from asking for it to its end: what `exec` is while that program lives
 *
 * Signals to this process go to the program, its terminal has the size of the user's, and this process ends with its
 * status. Detached, a child takes that place once the program runs: it is what callers wait for and signal, so it holds
 * none of their files.
 */
#ifndef VMRUN_CMD_VMRUN_EXEC_SESSION_H
#define VMRUN_CMD_VMRUN_EXEC_SESSION_H

#include "cmd/vmrun/vmrun.h"

/**
 * struct exec_job - What to run, and how
 * @dir:	State directory
 * @spec:	File with the description (agent_spec.h); borrowed
 * @cols, @rows: First size of the terminal; 0: not known
 * @console_socket: Gets the master of the terminal; NULL: it is the user's
 * @pid_file:	Gets the pid of the process that stands for the program; or NULL
 */
struct exec_job {
	int dir, spec;
	bool terminal, detach, ignore_paused;
	uint16_t cols, rows;
	const char *console_socket;
	const char *pid_file;
};

/**
 * exec_session() - Run it
 *
 * Return: 0 with v->exit_code the program's status, or when it runs detached; or -errno with v->exit_code 126, 127 or 255
 */
MUST_CHECK int exec_session(struct vmrun *v, const struct exec_job *job, struct err *err);

#endif

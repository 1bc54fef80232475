/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the process of a session does from its birth to its program
 *
 * The first of all makes the container around itself, in new namespaces, and is process 1 there. Those of exec join them.
 * From then on both do the same.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_TASK_H
#define VMRUN_CMD_VMRUN_INIT_TASK_H

#include <sys/types.h>

#include "cmd/vmrun-init/desc.h"

/**
 * struct task - What it is born with
 * @share:	Path of the directory with the container's files
 * @report:	Its socket to process 1, SOCK_SEQPACKET: a struct task_report, where the program does not run. Before that those
 *		with the step 0: with a terminal one with the master's fd; when the root is complete one with the time (stamp.h).
 *		Its end: the program runs
 * @std:	What becomes of its fds 0 to 2; -1: /dev/null
 * @container:	The container's first process, 0: this is it
 * @container_fd: Its pidfd
 */
struct task {
	const struct desc *desc;
	const char *share;
	int report;
	int std[3];
	pid_t container;
	int container_fd;
};

/** struct task_report - @step: enum agent_step; @code: errno. Step 0: nothing has failed */
struct task_report {
	uint32_t step, code, index;
};

/** task_run() - All of it, in the process just made */
NORETURN void task_run(const struct task *t);

#endif

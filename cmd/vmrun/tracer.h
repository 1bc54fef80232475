/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The system calls of jailed processes, seen by ptrace
 *
 * The processes know nothing of it, and no jail has an opening for it: who may trace a process has all power over it
 * anyway. A thread traces. When it ends, however it ends, the kernel lets go of all that it traced, and they go on.
 *
 * A call is seen before the filter judges it, with all its arguments. Of a command, the tracer follows all descendants,
 * but stops only programs of vmrun's at each call; what they do before they install a filter does not count.
 */
#ifndef VMRUN_CMD_VMRUN_TRACER_H
#define VMRUN_CMD_VMRUN_TRACER_H

#include <signal.h>

#include "devices/core/err.h"
#include "policies/policy.h"
#include "runtime/util/process.h"

/**
 * struct tracer_target - A process that runs already, behind a filter
 * @group:	What its calls are reported under
 */
struct tracer_target {
	struct process process;
	unsigned int group;
};

/**
 * struct tracer_job - What is traced: a command and its descendants, or @nr processes
 * @argv:	The command, or NULL. Its calls are reported under the index of the policy in policies[]
 * @opens:	Have filters let everything pass. Who made one dies with the tracer then
 * @seconds:	0: until all have ended
 * @call:	A confined process makes a call; -errno ends the job
 * @mask:	The signals that the command has blocked
 * @ret_status:	Of the command, as waitpid() has it
 */
struct tracer_job {
	char *const *argv;
	bool opens;
	unsigned int nr;
	const struct tracer_target *target;
	uint64_t seconds;
	int (*call)(void *arg, unsigned int group, int nr, const uint64_t args[6],
		    struct err *err);
	void *arg;
	sigset_t mask;
	int ret_status;
};

/**
 * tracer_block_signals() - Block what tracer_run() waits for, and SIGPIPE, also for children that are made from here on
 * @ret_before:	What to set again
 */
void tracer_block_signals(sigset_t *ret_before);

/**
 * tracer_run() - Trace until they have ended, the time is over, or a signal asks for the end
 *
 * SIGINT, SIGTERM and SIGHUP end it; while the command runs, SIGTERM is passed on to it instead, and the others are a
 * terminal's, which sends them to it by itself.
 * Context: a process with one thread, after tracer_block_signals()
 * Syscalls: ptrace wait4 rt_sigprocmask rt_sigtimedwait clone fork pipe2 openat read readlink process_vm_readv
 * Return: 0; -ENOENT and the like if the command cannot be executed; -EPERM if a process cannot be traced
 */
MUST_CHECK int tracer_run(struct tracer_job *job, struct err *err);

#endif

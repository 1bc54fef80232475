/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A VM in the foreground: it has the user's terminal, gets the signals of its caller, and is deleted at its end
 */
#ifndef VMRUN_CMD_VMRUN_FOREGROUND_H
#define VMRUN_CMD_VMRUN_FOREGROUND_H

#include "cmd/vmrun/launch.h"

/**
 * struct foreground_job - What to run, and how
 * @vm:		Prepared
 * @tty:	Its virtio console is the terminal, not its serial port
 * @keep:	Do not delete it when it has ended
 */
struct foreground_job {
	const struct launch_options *launch;
	struct launch_vm *vm;
	const char *id;
	bool tty, keep;
};

/**
 * foreground() - Launch it, wait until it has ended or the user detaches, delete it
 *
 * Return: 0 with v->exit_code the VM's, or -errno
 */
MUST_CHECK int foreground(struct vmrun *v, const struct foreground_job *job, struct err *err);

#endif

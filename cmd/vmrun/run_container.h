/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A container in the foreground: its process has this one's standard streams, or its terminal
 *
 * Without a terminal the streams are the container's own: this process does not touch them. With one, bytes go between the
 * user's terminal and a pty at whose other end the container is. Signals go to the container's process, whose status this
 * process ends with.
 */
#ifndef VMRUN_CMD_VMRUN_RUN_CONTAINER_H
#define VMRUN_CMD_VMRUN_RUN_CONTAINER_H

#include "cmd/vmrun/foreground.h"

/** run_container() - Launch and start it, wait for its end, delete it unless @job->keep */
MUST_CHECK int run_container(struct vmrun *v, const struct foreground_job *job, struct err *err);

#endif

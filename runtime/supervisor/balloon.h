/* SPDX-License-Identifier: BSD-3-Clause */
/** DOC: A user asks for the balloon's size and statistics, or sets the size */
#ifndef VMRUN_RUNTIME_SUPERVISOR_BALLOON_H
#define VMRUN_RUNTIME_SUPERVISOR_BALLOON_H

#include "runtime/supervisor/client.h"
#include "runtime/supervisor/supervisor.h"

/**
 * balloon_ask() - Pass a request on to the balloon, which answers later
 * @q:		REQUEST_BALLOON or REQUEST_BALLOON_STATS
 * @client:	Receives the answer, with the device's values; taken on success
 *
 * A size that was set is also that of a balloon which is started again.
 * Return: 0; -ENODEV when the VM has no balloon; else as ask_process()
 */
MUST_CHECK int balloon_ask(struct supervisor *s, const struct request *q, int client,
			   struct err *err);

#endif

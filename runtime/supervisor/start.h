/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Starting a guest
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_START_H
#define VMRUN_RUNTIME_SUPERVISOR_START_H

#include "runtime/supervisor/supervisor.h"

/**
 * start_begin() - Begin to start the guest
 * @client:	Receives the answer when the guest runs or cannot run; owned by the start on success. -1: none
 *		waits, and a VM that cannot be started ends
 *
 * Return: 0; -EINVAL, -EBUSY when the VM cannot be started now; -errno of the network
 */
MUST_CHECK int start_begin(struct supervisor *s, int client, struct err *err);

/** start_again() - Device @i was started again and handed to the VMM: a start that lost its answer asks it again */
void start_again(struct supervisor *s, unsigned int i);

/** start_cut() - The VM has ended: give up a start under way, and tell its client why */
void start_cut(struct supervisor *s);

#endif

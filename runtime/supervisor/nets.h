/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Networks made, joined at start, undone
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_NETS_H
#define VMRUN_RUNTIME_SUPERVISOR_NETS_H

#include "runtime/supervisor/supervisor.h"

/**
 * nets_make() - Carry out the plan's networks, before any process of the VM exists
 * @sp:		Gets the TAPs
 *
 * Context: in the host's namespace, alone in the process
 */
MUST_CHECK int nets_make(struct supervisor *s, struct spawn *sp, struct err *err);

/**
 * nets_join() - What a start does first: netns mode's interfaces, as they are by now
 * @client:	Is told of interfaces that no device is left for, if it is one
 */
MUST_CHECK int nets_join(struct supervisor *s, int client, struct err *err);

/** nets_undo() - Remove the networks; what cannot be undone stays in s->state for delete */
void nets_undo(struct supervisor *s);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A guest that does not say what became of AGENT_RUN
 *
 * Who waits for a program to begin must not wait for ever, whatever the guest is. A client of exec hears it, and if the program
 * begins all the same it is killed; without session 0 the VM has no purpose, and ends. A hook may need longer, as long as
 * config.json allows it: for ever, if there is no timeout. While the VM is paused nothing is late.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_SESSION_LATE_H
#define VMRUN_RUNTIME_SUPERVISOR_SESSION_LATE_H

#include "runtime/supervisor/session.h"

/** session_at_ns() - When session_late() is due; 0: never */
uint64_t session_at_ns(const struct supervisor *s);

/** session_late() - Look for answers that have not come in time */
void session_late(struct supervisor *s);

#endif

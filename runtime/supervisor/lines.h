/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What processes log: passed on to the log of the VM, within a budget
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_LINES_H
#define VMRUN_RUNTIME_SUPERVISOR_LINES_H

#include "runtime/supervisor/supervisor.h"

/** lines_watch() - Pass the log of @p on to the VM's, within its budget */
MUST_CHECK int lines_watch(struct supervisor *s, const struct spawned *p, struct err *err);

/** lines_last() - @p is dead: pass its last lines on, and close its log */
void lines_last(struct supervisor *s, struct spawned *p);

/** lines_again() - s->listen_again_ns has passed: read all logs again */
void lines_again(struct supervisor *s);

/** lines_note_losses() - If the VM's log has lost lines, schedule a line that counts them */
void lines_note_losses(struct supervisor *s);

/** lines_tell_losses() - s->tell_losses_ns has passed: write that line */
void lines_tell_losses(struct supervisor *s);

#endif

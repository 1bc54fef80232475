/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: How a VM ends: the verdict, and the time its processes have to leave
 *
 * end.c records the verdict and sets s->stage to STAGE_ENDING; it calls nothing of a start under way. The loop
 * (life.c) sees the stage and cuts the start short.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_END_H
#define VMRUN_RUNTIME_SUPERVISOR_END_H

#include "runtime/supervisor/supervisor.h"

/** end_failed() - Creating the VM failed for this reason; the first one counts */
void end_failed(struct supervisor *s, const struct err *err);

/**
 * end_vm() - The VM has ended for this reason; the first one counts
 * @now:	Kill all its processes instead of giving them time to leave
 */
void end_vm(struct supervisor *s, enum end_cause cause, const char *detail, bool now);

/** end_exited() - The container's process has ended with this status, or has not begun for that reason; as end_vm() */
void end_exited(struct supervisor *s, int status, const char *detail);

/** end_dismiss() - Stop listening to @p and tell it to leave */
void end_dismiss(struct supervisor *s, struct spawned *p);

/** end_check() - A process has died: if it was the last one the VM is over */
void end_check(struct supervisor *s);

/** end_late() - The time to leave is over: kill what is left, unless the last output waits for its reader */
void end_late(struct supervisor *s);

/** end_kill() - Wait for nothing any more: kill what is left */
void end_kill(struct supervisor *s);

#endif

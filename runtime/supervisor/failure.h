/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What follows when a device fails: the end of the VM, or another process (restart.h)
 *
 * A device with "onFailure": "restart" is started again when its process has died, of whatever. One that exited
 * by itself may only have seen the VMM die: that has FAILURE_DOUBT_NS to show up. One that lives and breaks
 * the protocol, or does not answer, ends the VM: it may be in enemy hands, or its next process no better.
 *
 * More than RESTART_MAX starts in FAILURE_WINDOW_NS are too many: the VM ends with the cause of the last death.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_FAILURE_H
#define VMRUN_RUNTIME_SUPERVISOR_FAILURE_H

#include "runtime/supervisor/supervisor.h"

#define FAILURE_WINDOW_NS 10000000000ULL

/** failure_too_often() - Whether it was started again RESTART_MAX times within FAILURE_WINDOW_NS */
bool failure_too_often(const struct restarting *r);

/** failure_returns() - Whether @p, dead or not, would be started again now */
bool failure_returns(const struct supervisor *s, const struct spawned *p);

/**
 * failure_note() - @p has died, and failure_returns() said yes: start it again soon
 *
 * Records how it died, for the log and `state`.
 */
void failure_note(struct supervisor *s, const struct spawned *p);

/** failure_spent() - Words for the verdict on a device that was started again too often; "" for others */
const char *failure_spent(const struct supervisor *s, const struct spawned *p);

/** failure_awaited() - Whether CTL_READY or CTL_FAILED may come from a process that was started again */
bool failure_awaited(const struct supervisor *s, const struct spawned *p);

/** failure_lost() - CTL_LOST: the VMM has no connection to a device, which should be dead */
void failure_lost(struct supervisor *s, const struct ctl_msg *m);

/** failure_lost_is_legal() - Whether CTL_LOST names a device that returns */
bool failure_lost_is_legal(const struct supervisor *s, const struct ctl_msg *m);

/** failure_set_deadline() - Set s->restart_ns to the earliest time at which something is due */
void failure_set_deadline(struct supervisor *s);

#endif

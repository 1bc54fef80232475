/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last output of a guest waits for its reader
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_DRAIN_H
#define VMRUN_RUNTIME_SUPERVISOR_DRAIN_H

#include "runtime/supervisor/supervisor.h"

/**
 * drain_note() - Remember which process has the console
 * @console:	Where its output goes; duplicated. Of a container's pipe only the name is kept
 *
 * Syscalls: fcntl fstat openat
 */
void drain_note(struct supervisor *s, const struct plan *p, int console);

/**
 * drain_wait() - The VM has ended, and the time its processes had to leave is over
 *
 * Return: whether its last output waits for a reader. Then it has killed all but the serial device, and set
 * s->deadline_ns, or watches the console
 */
bool drain_wait(struct supervisor *s);

/** drain_check_last() - A process died: if only the serial device is left, undo the networks and save that */
void drain_check_last(struct supervisor *s);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last output of a guest waits for its reader
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_DRAIN_H
#define VMRUN_RUNTIME_SUPERVISOR_DRAIN_H

#include "runtime/supervisor/supervisor.h"

/**
 * drain_note() - Remember which process has the console
 * @console:	Where its output goes; duplicated
 *
 * Syscalls: fcntl
 */
void drain_note(struct supervisor *s, const struct plan *p, int console);

/**
 * drain_wait() - The VM has ended and its time to leave is over
 *
 * Return: whether its last output waits for a reader. Then all but the serial device are killed, and it is
 * looked at again later
 */
bool drain_wait(struct supervisor *s);

/** drain_check_last() - A process died: undo what only it was for if the serial device is the last */
void drain_check_last(struct supervisor *s);

#endif

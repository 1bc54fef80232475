/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A device's process is started again
 *
 * failure.h decides that, and when. From the plan and the files that stayed open:
 *
 *   a socket pair, a jail, the boot record ---> CTL_READY
 *   CTL_NET to a network device of a running guest ---> CTL_DONE
 *   CTL_DEVICE to the VMM, with the other end of the socket pair
 *
 * From then on the VMM talks to the new process, and accuses it if it has something to say. A process that is not
 * ready after RESTART_READY_NS is killed, and counts as one that died.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_RESTART_H
#define VMRUN_RUNTIME_SUPERVISOR_RESTART_H

#include "runtime/supervisor/supervisor.h"

/** restart_late() - s->restart_ns has passed: do what is due */
void restart_late(struct supervisor *s);

#endif

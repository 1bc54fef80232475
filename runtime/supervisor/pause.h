/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Pausing a VM
 *
 * The VMM does it (vmm/pause.h): CTL_PAUSE, CTL_RESUME. state.json says "paused" in between: a pause that
 * cannot be recorded is taken back, a resume that cannot is refused. A device that does not finish its work,
 * because a disk of the host hangs or its process stands still, keeps a pause from being complete; after ASK_NS
 * it is given up, the guest goes on, and the client hears which device it was. Words of errors are runc's.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_PAUSE_H
#define VMRUN_RUNTIME_SUPERVISOR_PAUSE_H

#include "runtime/supervisor/supervisor.h"

/**
 * pause_begin() - Begin to pause the guest
 * @client:	Receives the answer; owned by the pause on success
 *
 * Return: 0; -EINVAL when the VM does not run; -EBUSY while it is paused or resumed; else -errno
 */
MUST_CHECK int pause_begin(struct supervisor *s, int client, struct err *err);

/** pause_end() - Begin to resume a paused guest.  As pause_begin() */
MUST_CHECK int pause_end(struct supervisor *s, int client, struct err *err);

/**
 * pause_new_generation() - Put the bytes of a new generation into a request for the VMM
 *
 * Syscalls: getrandom
 * Return: 0 or -errno
 */
MUST_CHECK int pause_new_generation(struct ctl_msg *m);

#endif

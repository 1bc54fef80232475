/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The VMM's conversation with the supervisor
 *
 * devices/core/ctl.h has the messages. CTL_DEVICE may come at any time. Before the guest runs we accept CTL_CMDLINE
 * and CTL_START, which CTL_DONE answers; afterwards CTL_POWER_BUTTON, CTL_CTRL_ALT_DEL, CTL_PAUSE and CTL_RESUME.
 * When the guest has ended we send
 * CTL_ENDED and exit at once: the kernel takes the VM apart while the supervisor still reads the message.
 */
#ifndef VMRUN_VMM_CONTROL_H
#define VMRUN_VMM_CONTROL_H

#include "vmm/machine.h"

/** control_watch() - Have m->loop watch the control socket and the end of the guest.  Syscalls: epoll_ctl */
MUST_CHECK int control_watch(struct machine *m, struct err *err);

/**
 * control_run() - Run the loop until the guest has ended or the supervisor is gone
 *
 * Context: locked, main thread
 * Syscalls: epoll_pwait recvmsg sendto read futex tgkill ioctl, and
 * those of the devices' hooks
 * Return: 0; -EPROTO if the supervisor broke a rule; -errno
 */
MUST_CHECK int control_run(struct machine *m, struct err *err);

#endif

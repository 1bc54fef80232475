/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The VMM's conversation with the supervisor
 *
 * devices/core/boot.h has the messages. To us, each legal in one state: CTL_CMDLINE and CTL_START, until
 * that went well, answered by CTL_DONE; CTL_POWER_BUTTON and CTL_CTRL_ALT_DEL after it. From us: CTL_ENDED, after which the process exits
 * at once, so that taking the VM apart begins while the supervisor is still reading the message.
 */
#ifndef VMRUN_VMM_CONTROL_H
#define VMRUN_VMM_CONTROL_H

#include "vmm/machine.h"

/** control_watch() - Serve control socket and end of the guest from m->loop.  Syscalls: epoll_ctl */
MUST_CHECK int control_watch(struct machine *m, struct err *err);

/**
 * control_run() - Serve until the guest has ended or the supervisor is gone
 *
 * Context: locked, main thread.  Syscalls: epoll_pwait recvmsg sendto read futex tgkill ioctl, and
 * those of the devices' hooks
 * Return: 0; -EPROTO when the supervisor broke a rule, else -errno
 */
MUST_CHECK int control_run(struct machine *m, struct err *err);

#endif

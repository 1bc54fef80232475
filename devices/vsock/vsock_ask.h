/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the device and the supervisor say to each other
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_ASK_H
#define VMRUN_DEVICES_VSOCK_VSOCK_ASK_H

#include "devices/vsock/vsock_state.h"

/**
 * vsock_ask() - Ask the supervisor for the host's ends of those that wait for one, within the bound
 *
 * Context: locked
 * Syscalls: sendto epoll_ctl close
 */
void vsock_ask(struct vsock *v);

/**
 * vsock_ask_control() - A request or an answer of the supervisor (struct device_ops)
 *
 * Context: locked
 * Syscalls: sendto readv recvmsg read epoll_ctl close write
 * Return: 0 or -errno
 */
MUST_CHECK int vsock_ask_control(struct device *d, struct ctl_msg *m, int *fd, struct err *err);

#endif

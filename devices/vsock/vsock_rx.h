/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Towards the guest
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_RX_H
#define VMRUN_DEVICES_VSOCK_VSOCK_RX_H

#include "devices/vsock/vsock_state.h"

/**
 * vsock_rx() - Give the guest what there is for it, as far as it has buffers
 *
 * Context: locked
 * Syscalls: readv recvmsg read epoll_ctl close write
 */
void vsock_rx(struct device *d);

#endif

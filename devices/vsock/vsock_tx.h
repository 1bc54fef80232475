/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From the guest
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_TX_H
#define VMRUN_DEVICES_VSOCK_VSOCK_TX_H

#include "devices/vsock/vsock_state.h"

/**
 * vsock_tx() - Take the guest's packets
 *
 * Context: locked
 * Syscalls: writev sendto shutdown epoll_ctl close write
 */
void vsock_tx(struct device *d);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/** DOC: The control messages of multiport */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_GUEST_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_GUEST_H

#include "devices/console/console_state.h"

/** console_guest_forget() - No port is known to the guest, takes input or owes it a message */
void console_guest_forget(struct console *c);

/**
 * console_guest_hear() - Carry out the control messages of the guest
 *
 * Context: locked
 * Syscalls: write
 */
void console_guest_hear(struct device *d);

/**
 * console_guest_tell() - Send the guest the control messages that it has room for
 *
 * Context: locked
 * Syscalls: write
 */
void console_guest_tell(struct device *d);

#endif

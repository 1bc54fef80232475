/* SPDX-License-Identifier: BSD-3-Clause */
/** DOC: Output: from the guest to the history, and on to its readers */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_OUTPUT_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_OUTPUT_H

#include "devices/console/console_state.h"

/**
 * console_output_move() - From the guest to the history, and on to the readers
 * @port:	Below settings.nr_ports
 *
 * Context: locked
 * Syscalls: ppoll write sendto clock_gettime timerfd_settime
 */
void console_output_move(struct device *d, unsigned int port);

/**
 * console_output_byte() - One byte of port 0 outside its queue: the emergency write
 *
 * Context: locked
 * Syscalls: ppoll write sendto clock_gettime
 */
void console_output_byte(struct device *d, uint8_t byte);

/**
 * console_output_stop() - Finish the chain that a port holds: its ring is about to stop
 * @port:	Below settings.nr_ports
 *
 * Context: locked
 * Syscalls: ppoll write sendto clock_gettime
 */
void console_output_stop(struct device *d, unsigned int port);

/**
 * console_output_late() - The timer went off: the guest waits no longer for readers that are due
 *
 * Context: locked
 * Syscalls: read ppoll write sendto clock_gettime timerfd_settime
 */
void console_output_late(struct device *d);

#endif

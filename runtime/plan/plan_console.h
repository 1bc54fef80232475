/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The console of a plan: the serial port, and a virtio console if the bundle lists one
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_CONSOLE_H
#define VMRUN_RUNTIME_PLAN_PLAN_CONSOLE_H

#include "runtime/plan/plan_device.h"

/**
 * plan_console_add_serial() - Add the serial port
 *
 * It is the console of a VM without another. Beside a virtio console, which has the VM's input, it still writes
 * to the VM's output, so that what a guest prints there is not lost. A container has one only if its bundle lists it:
 * the VM's output is its program's, and what a kernel prints would go nowhere.
 */
void plan_console_add_serial(struct plan_build *bd);

/** plan_console_add() - Add the virtio console, if the bundle lists one */
MUST_CHECK int plan_console_add(struct plan_build *bd);

/** plan_console_of() - The process of the virtio console; 0, the VMM's: there is none */
unsigned int plan_console_of(const struct plan *p);

/** plan_console_returns() - Whether there is one that is started again when it has died */
bool plan_console_returns(const struct plan *p);

/** plan_console_set_size() - Have the console begin with this size, if there is one */
void plan_console_set_size(struct plan *p, uint16_t cols, uint16_t rows);

/** plan_console_parameter() - The kernel parameter that names the guest's console */
const char *plan_console_parameter(const struct bundle *b);

#endif

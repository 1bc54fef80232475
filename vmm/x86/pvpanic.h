/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: pvpanic: a port by which a guest's kernel reports that it has panicked
 *
 * QEMU's docs/specs/pvpanic: a read returns the supported events, a write raises them. Linux finds it by
 * ACPI's _HID QEMU0001.
 */
#ifndef VMRUN_VMM_X86_PVPANIC_H
#define VMRUN_VMM_X86_PVPANIC_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/bus.h"

#define PVPANIC_PANICKED     (1U << 0)
#define PVPANIC_CRASH_LOADED (1U << 1) /* the guest continues with its own crash kernel */

/** struct pvpanic - @panicked: called with @arg, bus lock held */
struct pvpanic {
	void (*panicked)(void *arg);
	void *arg;
};

/** pvpanic_add() - Add the port to the bus; @p is filled in */
MUST_CHECK int pvpanic_add(struct pvpanic *p, struct bus *bus, struct err *err);

#endif

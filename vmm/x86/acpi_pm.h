/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: ACPI fixed hardware: PM1 event and control blocks, power button, PM timer
 *
 * ACPI 6.5 section 4.8.3. The ports begin at X86_PORT_PM; FADT (acpi.c) has the same numbers. ACPI mode is
 * always on: there is no SMI command port.
 */
#ifndef VMRUN_VMM_X86_ACPI_PM_H
#define VMRUN_VMM_X86_ACPI_PM_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "vmm/bus.h"

#define ACPI_PM_EVENT   0 /* status, enable: two bytes each */
#define ACPI_PM_CONTROL 4 /* two bytes */
#define ACPI_PM_TIMER   8 /* four bytes */
#define ACPI_PM_BYTES   12

#define ACPI_PM_SLP_TYP_S5 5
#define ACPI_PM_TIMER_HZ   3579545

/**
 * struct acpi_pm - The registers
 * @sci:	Sets the level of the SCI
 * @poweroff:	The guest has entered S5
 */
struct acpi_pm {
	void (*sci)(void *arg, bool high);
	void (*poweroff)(void *arg);
	void *arg;
	uint16_t status, enable, control;
	bool sci_high;
};

/** acpi_pm_init() - Set the state after reset; @sci, @poweroff are called with @arg, bus lock held */
void acpi_pm_init(struct acpi_pm *pm, void (*sci)(void *, bool), void (*poweroff)(void *),
		  void *arg);

/** acpi_pm_add() - Add the ports to the bus */
MUST_CHECK int acpi_pm_add(struct acpi_pm *pm, struct bus *bus, struct err *err);

/** acpi_pm_press() - Press the power button; bus lock held */
void acpi_pm_press(struct acpi_pm *pm);

/** acpi_pm_access() - Carry out a guest's access, see struct bus_range.  Syscalls: clock_gettime (vDSO) */
void acpi_pm_access(void *dev, bool write, uint64_t off, void *data, unsigned int len);

/** acpi_pm_ticks() - Value of the PM timer @ns nanoseconds after it was 0 */
uint32_t acpi_pm_ticks(uint64_t ns);

#endif

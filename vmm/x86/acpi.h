/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: ACPI tables: RSDP, XSDT, FADT, FACS, MADT, DSDT
 *
 * ACPI 6.5 chapter 5. A PC with fixed power management hardware (acpi_pm.h), an IOAPIC and a PIC, a
 * PCI host bridge with configuration mechanism #1, and the ISA devices an OS cannot find by itself.
 */
#ifndef VMRUN_VMM_X86_ACPI_H
#define VMRUN_VMM_X86_ACPI_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/** struct acpi_config - What differs between machines; @serial: there is a serial port */
struct acpi_config {
	unsigned int nr_vcpus;
	bool serial;
};

/**
 * acpi_build() - Write all tables
 * @buf:	Zeroed, the guest's [@gpa, @gpa + @bytes); @gpa is 64-byte aligned and below 4 GiB
 *
 * The RSDP comes first, at @gpa.
 * Context: setup.  Syscalls: none
 * Return: 0 or -ENOSPC
 */
MUST_CHECK int acpi_build(const struct acpi_config *c, uint8_t *buf, size_t bytes, uint64_t gpa,
			  struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: ACPI tables: RSDP, XSDT, FADT, FACS, MADT, DSDT
 *
 * ACPI 6.5 chapter 5. They describe a PC with fixed power management hardware (acpi_pm.h), an IOAPIC and
 * PICs, a PCI host bridge (pci_ports.h), and the ISA devices that an OS cannot find by itself.
 */
#ifndef VMRUN_VMM_X86_ACPI_H
#define VMRUN_VMM_X86_ACPI_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/** struct acpi_config - What differs between machines; @serial: whether there is a serial port */
struct acpi_config {
	unsigned int nr_vcpus;
	bool serial;
};

/**
 * acpi_build() - Write all tables
 * @buf:	Zeroed; the guest sees it at @gpa, which is aligned to 64 bytes and below 4 GiB
 *
 * The RSDP comes first.
 * Context: setup
 * Syscalls: none
 * Return: 0 or -ENOSPC
 */
MUST_CHECK int acpi_build(const struct acpi_config *c, uint8_t *buf, size_t bytes, uint64_t gpa,
			  struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The guest's physical addresses, ports and interrupt lines
 *
 * RAM begins at 0, ends at most at X86_HOLE, and continues at X86_HIGH. In the hole are BARs, IOAPIC, LAPIC
 * and pages that KVM needs for itself. Below 1 MiB:
 *
 *   0x00500 GDT            0x06000 PVH start info     0x07000 boot_params
 *   0x09000 page tables, six pages: 4 GiB one to one
 *   0x20000 command line   0x9fc00 EBDA (reserved)    0xe0000 ACPI tables, RSDP first
 */
#ifndef VMRUN_VMM_X86_LAYOUT_H
#define VMRUN_VMM_X86_LAYOUT_H

#define X86_HOLE 0xc0000000ULL
#define X86_HIGH 0x100000000ULL

#define X86_PCI_MMIO       0xc0000000ULL /* 32-bit BARs */
#define X86_PCI_MMIO_BYTES 0x3e000000ULL
#define X86_IOAPIC         0xfec00000ULL
#define X86_LAPIC          0xfee00000ULL
#define X86_MSI            0xfee00000ULL /* interrupt messages are writes to 0xfeexxxxx */
#define X86_MSI_BYTES      0x100000ULL
#define X86_KVM_IDENTITY   0xfffbc000ULL /* one page */
#define X86_KVM_TSS        0xfffbd000ULL /* three pages */

#define X86_GDT          0x500ULL
#define X86_PVH_INFO     0x6000ULL
#define X86_BOOT_PARAMS  0x7000ULL
#define X86_PAGE_TABLES  0x9000ULL
#define X86_CMDLINE      0x20000ULL
#define X86_EBDA         0x9fc00ULL
#define X86_ACPI         0xe0000ULL
#define X86_ACPI_BYTES   0x20000ULL
#define X86_GENERATION   0xffff0ULL /* vmgenid.h; the last of the ACPI area */
#define X86_KERNEL_MIN   0x100000ULL /* kernels and initrds are at or above it */

#define X86_GSI_KEYBOARD 1
#define X86_GSI_SERIAL   4
#define X86_GSI_GENERATION 5
#define X86_GSI_RTC      8
#define X86_GSI_SCI      9

#define X86_PORT_I8042_DATA    0x60
#define X86_PORT_I8042_COMMAND 0x64
#define X86_PORT_RTC           0x70 /* index, data */
#define X86_PORT_SERIAL        0x3f8
#define X86_PORT_PVPANIC       0x505
#define X86_PORT_PM            0x600 /* acpi_pm.h */
#define X86_PORT_PCI_CONFIG    0xcf8 /* address, then data at 0xcfc */
#define X86_PORT_RESET         0xcf9 /* inside the address register */

#define X86_RESET_VALUE 0x06 /* FADT: to be written to X86_PORT_RESET */

#endif

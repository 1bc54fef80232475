/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Linux' boot protocol, and PVH's: memory map, command line, registers
 *
 * A kernel finds both descriptions in RAM, and uses the one that belongs to its entry: boot_params (Linux'
 * Documentation/arch/x86/boot.rst, 64-bit protocol) or hvm_start_info (Xen's PVH ABI, version 1). For the
 * 64-bit entry there are also a GDT with flat segments, and page tables that map 4 GiB one to one.
 */
#ifndef VMRUN_VMM_X86_LINUX_BOOT_H
#define VMRUN_VMM_X86_LINUX_BOOT_H

#include <linux/kvm.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/gmem.h"
#include "vmm/x86/kernel_load.h"

#define LINUX_BOOT_MAP_MAX 4

/** struct linux_boot_map - One line of the memory map; @type as in E820: 1 RAM, 2 reserved */
struct linux_boot_map {
	uint64_t gpa, bytes;
	uint32_t type;
};

/**
 * struct linux_boot - Information for the kernel
 * @rsdp_gpa:	Address of ACPI's root pointer
 * @initrd_bytes: 0 = none
 */
struct linux_boot {
	const struct gmem *mem;
	const struct kernel *kernel;
	const char *cmdline;
	uint64_t initrd_gpa, initrd_bytes;
	uint64_t rsdp_gpa;
};

/**
 * linux_boot_memory_map() - Build the memory map of a machine
 * @ret:	LINUX_BOOT_MAP_MAX lines
 *
 * Return: number of lines filled
 */
unsigned int linux_boot_memory_map(const struct gmem *mem, struct linux_boot_map *ret);

/**
 * linux_boot_write() - Write both descriptions, GDT and page tables into guest RAM
 *
 * Return: 0, or -EINVAL with "kernel: ..." if the command line is too long for the kernel
 */
MUST_CHECK int linux_boot_write(const struct linux_boot *b, struct err *err);

/**
 * linux_boot_cmdline() - Replace the command line by a longer one, before the kernel runs
 * @cmdline:	As in struct linux_boot
 * @more:	Parameters for the kernel, or "". They go to the end, but before a "--": what follows that
 *		belongs to init
 *
 * Context: any
 * Syscalls: none
 * Return: 0, or -EINVAL with "kernel: ..." and the old command line still in place
 */
MUST_CHECK int linux_boot_cmdline(const struct gmem *mem, const struct kernel *k, const char *cmdline,
				const char *more, struct err *err);

/** linux_boot_regs() - Registers of the first vCPU at the entry; @sregs comes from KVM, and is adjusted */
void linux_boot_regs(const struct kernel *k, struct kvm_regs *regs, struct kvm_sregs *sregs);

/**
 * linux_boot_entry() - Set the first vCPU to the kernel's entry; SIPI sets the others
 *
 * Context: locked, before it runs
 * Syscalls: ioctl
 */
MUST_CHECK int linux_boot_entry(int vcpu_fd, const struct kernel *k, struct err *err);

#endif

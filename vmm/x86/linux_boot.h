/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a kernel finds when it starts: memory map, command line, registers
 *
 * Both descriptions are always written, so that a kernel may take either: boot_params (Linux'
 * Documentation/arch/x86/boot.rst, 64-bit protocol) and hvm_start_info (Xen's PVH ABI, version 1).
 * A GDT with flat segments and page tables that map 4 GiB one to one serve the 64-bit entry.
 */
#ifndef VMRUN_VMM_X86_LINUX_BOOT_H
#define VMRUN_VMM_X86_LINUX_BOOT_H

#include <linux/kvm.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/gmem.h"
#include "vmm/x86/kernel_load.h"

#define LINUX_BOOT_MAP_MAX 4

/** struct linux_boot_map - One line of the memory map; @type is E820's: 1 RAM, 2 reserved */
struct linux_boot_map {
	uint64_t gpa, bytes;
	uint32_t type;
};

/**
 * struct linux_boot - What is told to the kernel
 * @rsdp_gpa:	Of ACPI's root pointer
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
 * linux_boot_memory_map() - The memory map of a machine
 * @ret:	LINUX_BOOT_MAP_MAX lines
 *
 * Return: number of lines filled
 */
unsigned int linux_boot_memory_map(const struct gmem *mem, struct linux_boot_map *ret);

/**
 * linux_boot_write() - Write everything the kernel finds into guest RAM
 *
 * Return: 0, or -EINVAL with "kernel: ..." when the command line is longer than the kernel takes
 */
MUST_CHECK int linux_boot_write(const struct linux_boot *b, struct err *err);

/**
 * linux_boot_cmdline() - Write the command line again, with more of it
 * @cmdline:	As in struct linux_boot
 * @more:	Parameters of the kernel's, or "": they go to the end, but before a "--", behind which
 *		everything is init's
 *
 * Before the kernel runs; as often as needed.
 * Context: any.  Syscalls: none
 * Return: 0, or -EINVAL with "kernel: ..." and the old one still there
 */
MUST_CHECK int linux_boot_cmdline(const struct gmem *mem, const struct kernel *k, const char *cmdline,
				const char *more, struct err *err);

/** linux_boot_regs() - Where the first vCPU starts; @sregs comes from KVM and is adjusted */
void linux_boot_regs(const struct kernel *k, struct kvm_regs *regs, struct kvm_sregs *sregs);

/**
 * linux_boot_entry() - Have the first vCPU start the kernel; SIPI gives the others their registers
 *
 * Context: locked, before it runs.  Syscalls: ioctl
 */
MUST_CHECK int linux_boot_entry(int vcpu_fd, const struct kernel *k, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Kernel images: ELF64 (PVH note, or 64-bit Linux entry) and bzImage (64-bit entry)
 *
 * The file is hostile: every offset, size and count in it is checked before use, and it is read under
 * the filter. Each byte of RAM is read into at most once, so that the work is bounded by RAM. Only what
 * goes into it is read, straight into it; RAM is fresh and reads as zeroes, so .bss needs no work.
 *
 * ELF64, EM_X86_64: PT_LOAD segments go to their physical addresses; segments that overlap are refused.
 * Section headers are not looked at. With a PVH note (XEN_ELFNOTE_PHYS32_ENTRY) in any PT_NOTE the guest starts there in 32-bit mode with a hvm_start_info; without
 * one it starts at e_entry in 64-bit mode with boot_params, as a bare Linux vmlinux expects.
 *
 * bzImage: Linux' Documentation/arch/x86/boot.rst, protocol 2.12 or later with XLF_KERNEL_64: the
 * protected-mode part goes to pref_address and is entered 0x200 bytes into it. Its last paragraph of 16
 * bytes may lack some in the file.
 */
#ifndef VMRUN_VMM_X86_KERNEL_LOAD_H
#define VMRUN_VMM_X86_KERNEL_LOAD_H

#include <asm/bootparam.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/gmem.h"

enum kernel_entry { KERNEL_ENTRY_PVH32, KERNEL_ENTRY_LINUX64 };

/**
 * struct kernel - A kernel in guest RAM
 * @entry:	How it is started
 * @entry_gpa:	Where it is started, inside what was loaded
 * @start, @end: What it occupies, and needs before it knows its memory map: nothing else goes there
 * @initrd_end:	The initrd ends at or below this address
 * @cmdline_max: Bytes of command line it takes, without the terminator
 * @setup:	bzImage's setup header, for boot_params; zeroes for ELF
 */
struct kernel {
	enum kernel_entry entry;
	uint64_t entry_gpa;
	uint64_t start, end;
	uint64_t initrd_end;
	uint32_t cmdline_max;
	struct setup_header setup;
};

/**
 * kernel_load() - Read a kernel image into guest RAM
 * @fd:		Regular file, borrowed; its file position is not used
 * @mem:	RAM, of which the region that starts at 0 is used
 *
 * Every message starts with "kernel: ".
 * Context: locked.  Syscalls: fstat pread64
 * Return: 0; -ENOEXEC for a file that is no kernel for this machine, -ENOMEM when it does not fit
 * (the message says how many MiB it takes), -errno of the file
 */
MUST_CHECK int kernel_load(int fd, const struct gmem *mem, struct kernel *ret, struct err *err);

/**
 * kernel_load_initrd() - Read an initrd into guest RAM, as high as @k allows
 * @fd:		Regular file, borrowed
 * @ret_gpa:	Where it begins, page aligned; 0 for an empty file
 *
 * Every message starts with "initrd: ".
 * Context: locked.  Syscalls: fstat pread64
 * Return: 0, -ENOMEM when it does not fit beside the kernel, or -errno of the file
 */
MUST_CHECK int kernel_load_initrd(int fd, const struct gmem *mem, const struct kernel *k,
				  uint64_t *ret_gpa, uint64_t *ret_bytes, struct err *err);

#endif

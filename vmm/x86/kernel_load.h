/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Kernel images: ELF64 (PVH note, or 64-bit Linux entry) and bzImage (64-bit entry)
 *
 * The file is untrusted: every offset, size and count in it is checked before use, and it is read under the
 * filter. No byte of RAM is loaded twice, so the size of RAM limits the work. Segments are read directly
 * into RAM, which is fresh and reads as zeroes, so .bss needs nothing.
 *
 * ELF64, EM_X86_64: PT_LOAD segments go to their physical addresses and must not overlap. Section headers
 * are ignored. If a PT_NOTE has a PVH note (XEN_ELFNOTE_PHYS32_ENTRY), the guest starts at its address in
 * 32-bit mode with hvm_start_info; if not, at e_entry in 64-bit mode with boot_params, as a plain Linux
 * vmlinux expects.
 *
 * bzImage: Linux' Documentation/arch/x86/boot.rst, protocol 2.12 or later with XLF_KERNEL_64. The
 * protected-mode part goes to pref_address; the entry is 0x200 bytes into it. The file may end within the
 * last paragraph of 16 bytes.
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
 * @entry:	Kind of entry
 * @entry_gpa:	Its address, inside the kernel
 * @start, @end: RAM that the kernel occupies or needs before it reads its memory map
 * @initrd_end:	The initrd must end at or below this address
 * @cmdline_max: Maximum length of the command line, without the terminator
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
 * @fd:		Regular file, borrowed; its position does not matter
 * @mem:	The kernel goes into the region that starts at 0
 *
 * Every message starts with "kernel: ".
 * Context: locked
 * Syscalls: fstat pread64
 * Return: 0; -ENOEXEC if the file is no kernel for this machine, -ENOMEM if it does not fit (the message has
 * the number of MiB that it needs), -errno of the file
 */
MUST_CHECK int kernel_load(int fd, const struct gmem *mem, struct kernel *ret, struct err *err);

/**
 * kernel_load_initrd() - Read an initrd into guest RAM, as high as @k allows
 * @fd:		Regular file, borrowed
 * @ret_gpa:	Its address, page aligned; 0 for an empty file
 *
 * Every message starts with "initrd: ".
 * Context: locked
 * Syscalls: fstat pread64
 * Return: 0, -ENOMEM if it does not fit beside the kernel, or -errno of the file
 */
MUST_CHECK int kernel_load_initrd(int fd, const struct gmem *mem, const struct kernel *k,
				  uint64_t *ret_gpa, uint64_t *ret_bytes, struct err *err);

#endif

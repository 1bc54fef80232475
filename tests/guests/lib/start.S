/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into long mode and guest_main(). Two ways in: start32, which the PVH note names (32-bit protected
 * mode, %ebx = hvm_start_info), and start64, the ELF entry point (long mode, memory mapped one to
 * one). Few instructions and tables laid out at link time: where KVM only emulates supervisor code,
 * each instruction takes a microsecond.
 */

#define PAGE_PRESENT_RW 0x03
#define PAGE_LARGE_RW   0x83
#define SELECTOR_CODE64 0x08
#define SELECTOR_DATA   0x10
#define CR4_PAE         0x20
#define CR0_PE_ET_PG    0x80000011
#define MSR_EFER        0xc0000080
#define EFER_LME        0x100
#define STACK_BYTES     0x4000

	.section .note.pvh, "a", @note
	.long 4, 4, 18			/* name, descriptor, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.text
	.code32
	.globl start32
start32:
	cld
	mov	$stack_top, %esp
	mov	%ebx, guest_pvh_info
	lgdt	gdt_pointer
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_LME, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PE_ET_PG, %eax
	mov	%eax, %cr0
	ljmp	$SELECTOR_CODE64, $long_mode

	.code64
long_mode:
	mov	$SELECTOR_DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	jmp	run

	.globl start64
start64:
	cld
	mov	$stack_top, %rsp
run:
	call	guest_main
	call	guest_reset

	.data
	.balign 8
gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.balign 4096
pml4:
	.quad pdpt + PAGE_PRESENT_RW
	.balign 4096
pdpt:
	.quad pd + PAGE_PRESENT_RW, pd + 0x1000 + PAGE_PRESENT_RW
	.quad pd + 0x2000 + PAGE_PRESENT_RW, pd + 0x3000 + PAGE_PRESENT_RW
	.balign 4096
pd:
	.set address, 0
	.rept 2048
	.quad address + PAGE_LARGE_RW
	.set address, address + 0x200000
	.endr

	.globl guest_pvh_info
guest_pvh_info:
	.quad 0

	.bss
	.balign 16
	.skip STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where another CPU begins: real mode, at the page that the start-up message names. smp.c copies this there. It enters
 * long mode at once, with the first CPU's page tables, and calls smp_begin() on a stack of its own.
 */
#define CR4_PAE	   0x20
#define CR0_PE_ET_PG 0x80000011
#define MSR_EFER   0xc0000080
#define EFER_LME   0x100
#define HERE	   0x8000	/* SMP_PAGE in smp.c */
#define STACK_BYTES 0x4000

	.text
	.code16
	.globl smp_first, smp_last, smp_tables
smp_first:
	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	HERE + (pointer - smp_first)
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	HERE + (smp_tables - smp_first), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_LME, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PE_ET_PG, %eax
	mov	%eax, %cr0
	ljmpl	$8, $long_mode
	.balign 8
gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
pointer:
	.word 23
	.long HERE + (gdt - smp_first)
	.balign 8
smp_tables:
	.quad 0
smp_last:

	.code64
long_mode:
	mov	$16, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	$stack_top, %rsp
	call	smp_begin
	hlt

	.bss
	.balign 16
	.skip STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits

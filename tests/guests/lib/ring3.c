/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/ring3.h"

void ring3_may(uint64_t address)
{
	uint64_t table, *entry;

	__asm__ volatile("mov %%cr3, %0" : "=r"(table));
	for (unsigned int shift = 39; shift >= 12; shift -= 9) {
		entry = (uint64_t *)(table & 0x000ffffffffff000) + (address >> shift & 511);
		*entry |= 7;
		if (shift < 39 && *entry & 0x80)
			break;
		table = *entry;
	}
}

void ring3_run(void (*what)(void))
{
	static const uint64_t gdt[] = {
		0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff,
	};
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(gdt) - 1, (uintptr_t)gdt};

	__asm__ volatile("mov %%cr3, %%rax\n\t"
			 "mov %%rax, %%cr3\n\t"
			 "lgdt %0\n\t"
			 "lea -8(%%rsp), %%rax\n\t" /* as after a call */
			 "push $0x1b\n\t"
			 "push %%rax\n\t"
			 "push $2\n\t"
			 "push $0x23\n\t"
			 "push %1\n\t"
			 "iretq"
			 :
			 : "m"(pointer), "r"(what)
			 : "rax", "memory");
	__builtin_unreachable();
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/smp.h"

#define SMP_PAGE   0x8000UL
#define LAPIC_ICR  0xfee00300UL
#define LAPIC_DEST 0xfee00310UL
#define ICR_INIT   0x4500U
#define ICR_START  0x4600U
#define WAIT_EXITS 100000

extern const uint8_t smp_first[], smp_last[], smp_tables[];
void smp_begin(void);

static void (*volatile begin_with)(void);
static volatile bool begun;

void smp_begin(void)
{
	begun = true;
	begin_with();
}

static void send(uint32_t message)
{
	mmio_write32(LAPIC_DEST, 1U << 24);
	mmio_write32(LAPIC_ICR, message);
}

bool smp_start(void (*fn)(void))
{
	uint64_t tables;

	__asm__ volatile("mov %%cr3, %0" : "=r"(tables));
	memcpy((void *)SMP_PAGE, smp_first, (size_t)(smp_last - smp_first));
	memcpy((void *)(SMP_PAGE + (size_t)(smp_tables - smp_first)), &tables, sizeof(tables));
	begin_with = fn;
	send(ICR_INIT);
	send(ICR_START | SMP_PAGE >> 12);
	for (unsigned int i = 0; i < WAIT_EXITS && !begun; i++)
		(void)inb(GUEST_PORT_NOBODY);
	return begun;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/guest.h"

#define POWER_BUTTON 0x100

void guest_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = {0, 0};

	for (;;)
		__asm__ volatile("lidt %0\n\tud2" : : "m"(no_idt));
}

void guest_reset(void)
{
	outb(GUEST_PORT_I8042, 0xfe);
	guest_triple_fault(); /* machines without a keyboard controller */
}

void guest_poweroff(void)
{
	outw(GUEST_PORT_PM1_CNT, 5 << 10 | 1 << 13); /* SLP_TYP of S5, SLP_EN */
	for (;;)
		__asm__ volatile("hlt");
}

bool guest_button(void)
{
	if (!(inw(GUEST_PORT_PM1_EVT) & POWER_BUTTON))
		return false;
	outw(GUEST_PORT_PM1_EVT, POWER_BUTTON); /* which clears it */
	return true;
}

void guest_panic(void)
{
	outb(GUEST_PORT_PVPANIC, 1);
	for (;;)
		__asm__ volatile("hlt");
}

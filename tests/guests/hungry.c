/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that uses all of its 32 MiB, and goes on: for limits that are smaller. */
#include "lib/guest.h"

#define FIRST (4UL << 20) /* behind the program */
#define END   (32UL << 20)
#define PAGE  4096

void guest_main(void)
{
	for (unsigned long at = FIRST; at < END; at += PAGE)
		*(volatile uint8_t *)at = 1;
	guest_puts("# hungry: all of it\n");
	for (;;)
		__asm__ volatile("hlt");
}

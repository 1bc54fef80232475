/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that stays: it halts for ever, so that what a running VM costs can be measured. */
#include "lib/guest.h"

void guest_main(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes one byte to a port that no model claims, and resets: the shortest life of a VM. */
#include "lib/guest.h"

void guest_main(void)
{
	outb(GUEST_PORT_NOBODY, 1);
	guest_reset();
}

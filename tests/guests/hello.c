/* SPDX-License-Identifier: BSD-3-Clause */
/* Says hello over the serial port and resets. */
#include "lib/guest.h"

void guest_main(void)
{
	guest_puts("hello from the guest\n");
	guest_reset();
}

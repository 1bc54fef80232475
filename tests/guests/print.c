/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints 3000 numbered lines, 96 KB, as Linux prints its log, and powers off. */
#include "lib/guest.h"

#define LINES		3000
#define SERIAL_LSR	5
#define SERIAL_LSR_THRE 0x20

/* Each byte goes out when the transmitter says that it is empty, however long that takes. */
static void polite_puts(const char *text)
{
	for (; *text; text++) {
		while (!(inb(GUEST_PORT_SERIAL + SERIAL_LSR) & SERIAL_LSR_THRE))
			__builtin_ia32_pause();
		outb(GUEST_PORT_SERIAL, (uint8_t)*text);
	}
}

void guest_main(void)
{
	char line[] = "line 0000 of three thousand....\n";

	for (unsigned int n = 0; n < LINES; n++) {
		for (unsigned int i = 0, v = n; i < 4; i++, v /= 10)
			line[8 - i] = (char)('0' + v % 10);
		polite_puts(line);
	}
	guest_poweroff();
}

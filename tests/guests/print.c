/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints 3000 numbered lines, 96 KB, as Linux prints its log, and powers off. With "few" on its command
 * line 1000: less than the VMM holds. */
#include "lib/guest.h"

#define LINES		   3000
#define LINES_FEW	   1000
#define SERIAL_LSR	   5
#define SERIAL_LSR_THRE	   0x20
#define START_INFO_CMDLINE 24 /* of hvm_start_info */

static unsigned int lines(void)
{
	const char *at = (const char *)*(const uint64_t *)(guest_pvh_info + START_INFO_CMDLINE);

	while (*at && memcmp(at, "few", 3) != 0)
		at++;
	return *at ? LINES_FEW : LINES;
}

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
	const unsigned int nr = lines();
	char line[] = "line 0000 of three thousand....\n";

	for (unsigned int n = 0; n < nr; n++) {
		for (unsigned int i = 0, v = n; i < 4; i++, v /= 10)
			line[8 - i] = (char)('0' + v % 10);
		polite_puts(line);
	}
	guest_poweroff();
}

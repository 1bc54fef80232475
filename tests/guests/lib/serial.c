/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/guest.h"

void guest_puts(const char *text)
{
	while (*text)
		outb(GUEST_PORT_SERIAL, (uint8_t)*text++);
}

static void put_number(uint64_t v, unsigned int base)
{
	char digits[21];
	unsigned int at = sizeof(digits) - 1;

	digits[at] = 0;
	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0);
	guest_puts(digits + at);
}

void guest_put_hex(uint64_t v)
{
	put_number(v, 16);
}

void guest_put_dec(uint64_t v)
{
	put_number(v, 10);
}

bool guest_check(bool ok, const char *name)
{
	guest_puts(ok ? "ok - " : "not ok - ");
	guest_puts(name);
	guest_puts("\n");
	return ok;
}

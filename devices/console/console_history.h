/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The last 64 KiB that a guest wrote to one port
 *
 * Bytes are numbered from 0 on. The history keeps the last CONSOLE_HISTORY_BYTES of them; each reader has a
 * number of its own, the next byte it wants. So output is kept once, however many readers there are, and takes
 * no more room than that, however slow they are.
 */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_HISTORY_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_HISTORY_H

#include "devices/core/base.h"

#define CONSOLE_HISTORY_BYTES 65536U /* a power of two */

/** struct console_history - @end: the number of the next byte; zeroed: empty */
struct console_history {
	uint64_t end;
	uint8_t data[CONSOLE_HISTORY_BYTES];
};

/** console_history_first() - The number of the oldest byte that is kept */
static inline uint64_t console_history_first(const struct console_history *h)
{
	return h->end > CONSOLE_HISTORY_BYTES ? h->end - CONSOLE_HISTORY_BYTES : 0;
}

/**
 * console_history_room() - Room for new bytes, in one piece
 * @ret_bytes:	How many fit there, at least one
 *
 * The caller fills in some of them and adds as many to @end; the oldest go.
 * Context: locked
 * Syscalls: none
 * Return: where they go
 */
uint8_t *console_history_room(struct console_history *h, uint32_t *ret_bytes);

/**
 * console_history_at() - The bytes from @at on, in one piece
 * @at:		Between console_history_first() and @end
 * @ret_bytes:	How many there are; 0 when @at is @end
 *
 * Context: locked
 * Syscalls: none
 * Return: where they are
 */
const uint8_t *console_history_at(const struct console_history *h, uint64_t at,
				  uint32_t *ret_bytes);

#endif

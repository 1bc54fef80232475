/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/console/console_history.h"

static uint32_t console_history_index(uint64_t at)
{
	return (uint32_t)(at % CONSOLE_HISTORY_BYTES);
}

uint8_t *console_history_room(struct console_history *h, uint32_t *ret_bytes)
{
	const uint32_t i = console_history_index(h->end);

	*ret_bytes = CONSOLE_HISTORY_BYTES - i;
	return h->data + i;
}

const uint8_t *console_history_at(const struct console_history *h, uint64_t at, uint32_t *ret_bytes)
{
	const uint32_t i = console_history_index(at);
	const uint64_t left = h->end - at;

	vr_assert(left <= CONSOLE_HISTORY_BYTES && at <= h->end);
	*ret_bytes = left < CONSOLE_HISTORY_BYTES - i ? (uint32_t)left : CONSOLE_HISTORY_BYTES - i;
	return h->data + i;
}

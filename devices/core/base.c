/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/base.h"

#include <string.h>

#define VR_LINE_BYTES 512

static void (*vr_log)(const char *line);

void vr_assert_log(void (*log)(const char *line))
{
	vr_log = log;
}

void vr_assert_failed(const char *line)
{
	char text[VR_LINE_BYTES];
	size_t len = strnlen(line, sizeof(text) - 1);

	if (vr_log)
		vr_log(line);
	memcpy(text, line, len);
	text[len++] = '\n';
	/* Nothing can be done about a failed write on the way out. */
	(void)!write(STDERR_FILENO, text, len);
	__builtin_trap();
}

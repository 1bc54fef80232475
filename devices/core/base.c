/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/base.h"

#include "devices/core/fmt.h"
#include "devices/core/log.h"

/**
 * vr_assert_failed() - Report a broken invariant on fd 2 and in the log, then end the process
 * @cond:	The condition's source text
 * @file:	Where it stands
 * @line:	Likewise
 *
 * Jailed programs have /dev/null as fd 2, so the log gets the line too. An illegal instruction ends
 * what abort() could not: the first process of a PID namespace ignores its own SIGABRT.
 * Context: any.  Syscalls: write
 */
void vr_assert_failed(const char *cond, const char *file, int line)
{
	char text[LOG_LINE_BYTES];
	size_t len = fmt_into(text, sizeof(text) - 1, "%s:%d: assertion failed: %s", file, line,
			      cond);

	log_err("%s", text);
	text[len++] = '\n';
	/* Nothing can be done about a failed write on the way out. */
	(void)!write(STDERR_FILENO, text, len);
	__builtin_trap();
}

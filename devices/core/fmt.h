/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Formatting without stdio
 *
 * The subset of printf that vmrun's messages use: %s %.*s %c %d %i %u %x %p %%, the lengths
 * l, ll, z, hh and h, the flags 0 and a width for numbers. No locale, no heap, no floating point,
 * no syscall: usable after lockdown. An unknown conversion is a programmer's error (vr_assert).
 */
#ifndef VMRUN_DEVICES_CORE_FMT_H
#define VMRUN_DEVICES_CORE_FMT_H

#include <stdarg.h>

#include "devices/core/base.h"

/**
 * fmt_into() - Format into a fixed buffer
 * @buf:	Where to; always terminated when @size > 0
 * @size:	Its size in bytes
 * @fmt:	See the top of fmt.h
 *
 * Context: any
 * Syscalls: none
 * Return: number of bytes written without the terminator; output that does not fit is cut
 */
size_t fmt_into(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);

/**
 * fmt_vinto() - Format into a fixed buffer
 * @buf:	Where to; always terminated when @size > 0
 * @size:	Its size in bytes
 * @fmt:	See the top of fmt.h
 * @ap:		Its arguments
 *
 * Context: any
 * Syscalls: none
 * Return: number of bytes written without the terminator; output that does not fit is cut
 */
size_t fmt_vinto(char *buf, size_t size, const char *fmt, va_list ap) PRINTF(3, 0);

/** fmt_plain() - Whether a byte is printable ASCII, the blank included */
static inline bool fmt_plain(char c)
{
	return c >= ' ' && c <= '~';
}

/** fmt_is_utf8() - Whether a text is well-formed UTF-8 */
bool fmt_is_utf8(const char *text);

/**
 * fmt_printable() - Make a text safe for a terminal, in place
 * @text:	Each character that does more than show itself, and each byte that is not UTF-8, becomes
 *		'?'; so it may get shorter
 *
 * For text that others wrote: names of files, messages of peers.
 * Context: any
 * Syscalls: none
 * Return: how many characters it has afterwards
 */
size_t fmt_printable(char *text);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/err.h"

#include <string.h>

#include "devices/core/fmt.h"

/* Formats "<text><tail>" into @err. Built beside it, as the arguments may point into it. */
static PRINTF(3, 0) void err_fill(struct err *err, const char *tail, const char *fmt, va_list ap)
{
	char msg[ERR_MSG_BYTES];
	size_t room = sizeof(msg) - strlen(tail);
	size_t len;

	/* A long text is cut before its tail: the system's words tell the user more. */
	len = fmt_vinto(msg, room, fmt, ap);
	fmt_into(msg + len, sizeof(msg) - len, "%s", tail);
	memcpy(err->msg, msg, sizeof(err->msg));
}

int err_set(struct err *err, int errnum, const char *fmt, ...)
{
	char tail[ERR_MSG_BYTES / 2];
	va_list ap;

	vr_assert(err && errnum > 0);
	fmt_into(tail, sizeof(tail), ": %s", err_describe(errnum));
	va_start(ap, fmt);
	err_fill(err, tail, fmt, ap);
	va_end(ap);
	err->code = errnum;
	return -errnum;
}

int err_text(struct err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	vr_assert(err && errnum > 0);
	va_start(ap, fmt);
	err_fill(err, "", fmt, ap);
	va_end(ap);
	err->code = errnum;
	return -errnum;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char msg[ERR_MSG_BYTES];
	va_list ap;
	size_t len;

	vr_assert(err && err->code > 0);
	va_start(ap, fmt);
	len = fmt_vinto(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	fmt_into(msg + len, sizeof(msg) - len, ": %s", err->msg);
	memcpy(err->msg, msg, sizeof(err->msg));
	return -err->code;
}

#ifdef __GLIBC__
/* glibc's strerror() may translate, and for that open files; this one does not. */
static const char *err_words(int errnum)
{
	return strerrordesc_np(errnum);
}
#else
/* musl's is a look-up in a table as long as no locale was set, and jailed programs set none. */
static const char *err_words(int errnum)
{
	return strerror(errnum);
}
#endif

const char *err_describe(int errnum)
{
	const char *words = err_words(errnum);

	return words ? words : "Unknown error";
}

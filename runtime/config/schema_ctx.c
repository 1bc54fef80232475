/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/schema_ctx.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "devices/core/fmt.h"

int schema_fail(struct schema_ctx *ctx, const char *fmt, ...)
{
	char text[ERR_MSG_BYTES];
	va_list ap;

	va_start(ap, fmt);
	fmt_vinto(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_text(ctx->err, EINVAL, "%s: %s", ctx->pointer_len ? ctx->pointer : "config.json",
			text);
}

void schema_warn(struct schema_ctx *ctx, const char *fmt, ...)
{
	char line[SCHEMA_WARNING_BYTES];
	size_t n;
	va_list ap;

	n = fmt_into(line, sizeof(line), "%s: ", ctx->pointer_len ? ctx->pointer : "config.json");
	va_start(ap, fmt);
	fmt_vinto(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (ctx->warn)
		ctx->warn(ctx->warn_arg, line);
}

size_t schema_push(struct schema_ctx *ctx, const char *name)
{
	size_t mark = ctx->pointer_len, n = mark;

	/* RFC 6901: ~0 and ~1. A long pointer is cut, as it is only for messages. */
	for (const char *p = name; n + 3 < sizeof(ctx->pointer); p++) {
		if (p == name)
			ctx->pointer[n++] = '/';
		if (!*p)
			break;
		if (*p == '~' || *p == '/') {
			ctx->pointer[n++] = '~';
			ctx->pointer[n++] = *p == '~' ? '0' : '1';
			continue;
		}
		ctx->pointer[n++] = *p;
	}
	ctx->pointer[n] = '\0';
	/* Terminals and logs get printable text only. */
	(void)fmt_printable(ctx->pointer + mark);
	ctx->pointer_len = mark + strlen(ctx->pointer + mark);
	return mark;
}

size_t schema_push_index(struct schema_ctx *ctx, size_t index)
{
	char name[24];

	fmt_into(name, sizeof(name), "%zu", index);
	return schema_push(ctx, name);
}

void schema_pop(struct schema_ctx *ctx, size_t mark)
{
	ctx->pointer[mark] = '\0';
	ctx->pointer_len = mark;
}

const char *schema_pointer(struct schema_ctx *ctx)
{
	return arena_strndup(ctx->arena, ctx->pointer, ctx->pointer_len);
}

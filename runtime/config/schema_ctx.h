/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The decoder's place in config.json, and errors and warnings about it
 *
 * Errors and warnings begin with the JSON pointer (RFC 6901) of the place that they are about.
 */
#ifndef VMRUN_RUNTIME_CONFIG_SCHEMA_CTX_H
#define VMRUN_RUNTIME_CONFIG_SCHEMA_CTX_H

#include "devices/core/err.h"
#include "runtime/util/arena.h"

#define SCHEMA_POINTER_BYTES 160
#define SCHEMA_WARNING_BYTES 512

/**
 * struct schema_ctx - One run of the decoder
 * @arena:	Owns every string and array that is kept
 * @container:	The bundle is a container's
 * @warn:	Called with one line per warning
 * @pointer:	The place; see schema_push()
 */
struct schema_ctx {
	struct arena *arena;
	struct err *err;
	bool container;
	void (*warn)(void *arg, const char *line);
	void *warn_arg;
	size_t pointer_len;
	char pointer[SCHEMA_POINTER_BYTES];
};

/** schema_fail() - Record "POINTER: text" and return -EINVAL */
int schema_fail(struct schema_ctx *ctx, const char *fmt, ...) PRINTF(2, 3);

/** schema_warn() - Pass "POINTER: text" to ctx->warn */
void schema_warn(struct schema_ctx *ctx, const char *fmt, ...) PRINTF(2, 3);

/** schema_push() - Go down to @name, escaped. Return: a mark by which schema_pop() comes back */
size_t schema_push(struct schema_ctx *ctx, const char *name);
size_t schema_push_index(struct schema_ctx *ctx, size_t index);
void schema_pop(struct schema_ctx *ctx, size_t mark);

/** schema_pointer() - A copy of the current pointer, owned by the arena; NULL if the arena is full */
const char *schema_pointer(struct schema_ctx *ctx);

#endif

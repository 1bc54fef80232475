/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Storage that is filled once and then cannot be written any more
 *
 * One mapping, handed out front to back, freed as a whole. After arena_freeze() a stray write into
 * what was validated faults instead of changing the plan.
 */
#ifndef VMRUN_RUNTIME_UTIL_ARENA_H
#define VMRUN_RUNTIME_UTIL_ARENA_H

#include "devices/core/base.h"

/**
 * struct arena - One region
 * @base:	Start of the mapping; NULL while there is none
 * @bytes:	Its size; pages nobody touched cost nothing
 * @used:	Handed out so far
 */
struct arena {
	char *base;
	size_t bytes;
	size_t used;
};

/** arena_init() - Reserve @bytes, rounded up to pages; 0 or -errno.  Syscalls: mmap */
MUST_CHECK int arena_init(struct arena *a, size_t bytes);

/** arena_done() - Give everything back; fine on a zeroed struct.  Syscalls: munmap */
void arena_done(struct arena *a);

/** arena_alloc() - Zeroed, aligned for any type, owned by the arena; NULL when it is full */
void *arena_alloc(struct arena *a, size_t bytes);

/** arena_strndup() - A terminated copy of @len bytes; NULL when the arena is full */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/** arena_freeze() - Make the whole region read-only.  Syscalls: mprotect */
MUST_CHECK int arena_freeze(struct arena *a);

#endif

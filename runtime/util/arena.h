/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Storage that is filled once and then made read-only
 *
 * One mapping, given out from front to back and freed as a whole. After arena_freeze() a stray write to
 * validated data faults, instead of changing it.
 */
#ifndef VMRUN_RUNTIME_UTIL_ARENA_H
#define VMRUN_RUNTIME_UTIL_ARENA_H

#include "devices/core/base.h"

/**
 * struct arena - One region
 * @base:	Start of the mapping; NULL = none
 * @bytes:	Its size; untouched pages cost nothing
 * @used:	Bytes given out
 */
struct arena {
	char *base;
	size_t bytes;
	size_t used;
};

/** arena_init() - Reserve @bytes, rounded up to pages; 0 or -errno.  Syscalls: mmap madvise */
MUST_CHECK int arena_init(struct arena *a, size_t bytes);

/** arena_done() - Unmap the region; safe on a zeroed struct.  Syscalls: munmap */
void arena_done(struct arena *a);

/** arena_alloc() - Give out zeroed memory, aligned for any type and owned by the arena; NULL if it is full */
void *arena_alloc(struct arena *a, size_t bytes);

/** arena_strndup() - Make a terminated copy of @len bytes; NULL if the arena is full */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/** arena_freeze() - Make the region read-only.  Syscalls: mprotect */
MUST_CHECK int arena_freeze(struct arena *a);

#endif

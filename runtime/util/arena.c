/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096UL

int arena_init(struct arena *a, size_t bytes)
{
	void *p;

	if (bytes == 0 || bytes > SIZE_MAX - PAGE_BYTES)
		return -EINVAL;
	bytes = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	/* What is used of it is small, and a huge page is not. EINVAL: the kernel has none */
	(void)madvise(p, bytes, MADV_NOHUGEPAGE);
	*a = (struct arena){.base = p, .bytes = bytes};
	return 0;
}

void arena_done(struct arena *a)
{
	if (a->base)
		munmap(a->base, a->bytes);
	*a = (struct arena){0};
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	size_t align = __alignof__(max_align_t);
	size_t start = (a->used + align - 1) & ~(align - 1);

	if (start > a->bytes || bytes > a->bytes - start)
		return NULL;
	a->used = start + bytes;
	return a->base + start;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p;

	if (a->used > a->bytes || len >= a->bytes - a->used)
		return NULL;
	p = a->base + a->used;
	memcpy(p, s, len);
	p[len] = '\0';
	a->used += len + 1;
	return p;
}

int arena_freeze(struct arena *a)
{
	return mprotect(a->base, a->bytes, PROT_READ) ? -errno : 0;
}

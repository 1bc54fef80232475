/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/sparse.h"

#include <sys/mman.h>

#define SPARSE_PAGE 4096UL

void *sparse_calloc(size_t nr, size_t bytes)
{
	char *p = calloc(nr, bytes);
	const size_t head = -(uintptr_t)p & (SPARSE_PAGE - 1);
	const size_t len = p ? nr * bytes : 0;

	/* EINVAL: the kernel has no huge pages */
	if (len > head + SPARSE_PAGE)
		(void)madvise(p + head, (len - head) & ~(SPARSE_PAGE - 1), MADV_NOHUGEPAGE);
	return p;
}

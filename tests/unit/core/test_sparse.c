/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/sparse.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIB (1UL << 20)

/* Kilobytes of the mapping of @p that are in memory; whether it may have huge pages, -1: the kernel does not say */
static long resident(const void *p, int *ret_huge)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	uintptr_t from, to;
	bool here = false;
	long kb = -1, n;
	char line[512];

	*ret_huge = -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			here = from <= (uintptr_t)p && (uintptr_t)p < to;
		else if (here && sscanf(line, "Rss: %ld", &n) == 1)
			kb = n;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			*ret_huge = strstr(line, " nh") == NULL;
	}
	(void)fclose(f);
	return kb;
}

Test(sparse, one_touched_page_is_one_page)
{
	char *p = sparse_calloc(64, MIB);
	int huge;

	cr_assert_not_null(p);
	for (size_t i = 0; i < 64 * MIB; i += MIB)
		cr_assert_eq(p[i], 0);
	p[32 * MIB] = 1;
	cr_assert_leq(resident(p + 32 * MIB, &huge), 128 * 4);
	cr_assert_eq(huge, 0);
	free(p);
}

Test(sparse, small_ones_too)
{
	for (size_t bytes = 1; bytes < 20000; bytes += 777) {
		char *p = sparse_calloc(1, bytes);

		cr_assert_not_null(p);
		for (size_t i = 0; i < bytes; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 1, bytes);
		free(p);
	}
}

Test(sparse, more_than_there_is)
{
	cr_assert_null(sparse_calloc(SIZE_MAX / 2, 4));
}

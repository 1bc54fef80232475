/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/constants.h"

#include <string.h>

/* As strcmp() of the name and a terminated one */
static int constants_compare(const char *name, size_t len, const char *other)
{
	int c = strncmp(name, other, len);

	return c == 0 && other[len] ? -1 : c;
}

bool constants_find(const struct constants *of, const char *name, size_t len, uint64_t *ret)
{
	unsigned int lo = 0, hi = of->nr;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;
		int c = constants_compare(name, len, of->names + of->name[mid]);

		if (c == 0) {
			*ret = of->value[mid];
			return true;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

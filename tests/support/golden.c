/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/golden.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

char *golden_text(const char *name, const char *got)
{
	char path[128], *text = NULL;
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "we");
		cr_assert(f && fputs(got, f) >= 0 && fclose(f) == 0, "%s cannot be written", path);
	}
	f = fopen(path, "re");
	cr_assert(f, "%s cannot be opened: run from the root of the tree", path);
	cr_assert(getdelim(&text, &len, '\0', f) > 0, "%s cannot be read", path);
	fclose(f);
	return text;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/temp_dir.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char temp_dir[] = "/tmp/vmrun-test-XXXXXX";

void temp_dir_make(void)
{
	cr_assert(mkdtemp(temp_dir));
}

void temp_dir_make_in_memory(void)
{
	static const char in_memory[] = "/dev/shm/vmrun-XXXXXX";

	_Static_assert(sizeof(in_memory) <= sizeof(temp_dir), "room for the name");
	memcpy(temp_dir, in_memory, sizeof(in_memory));
	temp_dir_make();
}

void temp_dir_remove(void)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", temp_dir);
	cr_assert_eq(system(cmd), 0);
}

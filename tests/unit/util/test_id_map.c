/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/util/id_map.h"

Test(id_map, is_read)
{
	struct id_map m;
	struct err err;

	cr_assert_eq(id_map_parse(&m, "0 1000 1,1 100000 65536", "here", &err), 0, "%s", err.msg);
	cr_assert_eq(m.nr, 2);
	cr_assert(m.range[0].inside == 0 && m.range[0].outside == 1000 && m.range[0].count == 1);
	cr_assert(m.range[1].inside == 1 && m.range[1].outside == 100000 &&
		  m.range[1].count == 65536);
	cr_assert_str_eq(m.from, "here");
	id_map_done(&m);
	cr_assert_eq(id_map_parse(&m, "0  1000   1", "here", &err), 0, "%s", err.msg);
	id_map_done(&m);
	/* podman's own range for containers */
	cr_assert_eq(id_map_parse(&m, "0 2147483647 65536", "here", &err), 0, "%s", err.msg);
	id_map_done(&m);
}

#define FORM "here: must be \"INSIDE OUTSIDE COUNT"

Test(id_map, what_is_none_is_refused)
{
	static const struct {
		const char *text, *msg;
	} table[] = {
		{"", FORM},
		{"0", FORM},
		{"0 1", FORM},
		{"0 1 2 3", FORM},
		{"0 1 2,", FORM},
		{",0 1 2", FORM},
		{"-1 0 1", FORM},
		{"0 0 -1", FORM},
		{" 0 0 1", FORM},
		{"0x0 0 1", FORM},
		{"99999999999999999999 0 1", FORM},
		{"0 0 1;1 1 1", FORM},
		{"0 0 0", "here/0: is empty"},
		{"0 0 4294967296", "here/0: 4294967296 ids from 0 on: ids end at 4294967294"},
		{"1 0 4294967295", "here/0: 4294967295 ids from 1 on: ids end at"},
		{"0 4294967295 1", "here/0: 1 ids from 4294967295 on: ids end at"},
		{"18446744073709551615 0 2", "here/0: 2 ids from 18446744073709551615 on"},
		{"0 0 4294967295", "here/0: 4294967295 ids from 0 on: vmrun needs those from"},
		{"0 1879048192 1", "here/0: 1 ids from 1879048192 on: vmrun needs those from "
				   "1879048192 to 2147483646"},
		{"2147483646 0 9", "here/0: 9 ids from 2147483646 on: vmrun needs those"},
		{"0 10 5,4 20 1", "here/1: has ids of the guest that here/0 has"},
		{"0 10 5,5 14 1", "here/1: has ids of the host that here/0 has"},
		{"5 10 5,0 0 100", "here/1: has ids of the guest that here/0 has"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct id_map m;
		struct err err = {0};

		cr_expect_eq(id_map_parse(&m, table[i].text, "here", &err), -EINVAL, "%s",
			     table[i].text);
		cr_expect(strncmp(err.msg, table[i].msg, strlen(table[i].msg)) == 0, "%s: %s",
			  table[i].text, err.msg);
		id_map_done(&m);
	}
}

Test(id_map, has_an_end)
{
	char text[ID_MAP_MAX * 16 + 64] = "0 0 1";
	struct id_map m;
	struct err err;
	size_t len = strlen(text);

	for (unsigned int i = 1; i < ID_MAP_MAX; i++)
		len += (size_t)sprintf(text + len, ",%u %u 1", i, i);
	cr_assert_eq(id_map_parse(&m, text, "here", &err), 0, "%s", err.msg);
	cr_assert_eq(m.nr, ID_MAP_MAX);
	id_map_done(&m);
	sprintf(text + len, ",%u %u 1", ID_MAP_MAX, ID_MAP_MAX);
	cr_assert_eq(id_map_parse(&m, text, "here", &err), -EINVAL);
	cr_assert_str_eq(err.msg, "here: more than 120 ranges");
	id_map_done(&m);
}

Test(id_map, goes_inside)
{
	static const struct {
		uint32_t outside;
		int64_t inside;
	} table[] = {{1000, 0}, {999, -1}, {1001, -1}, {100000, 1}, {165535, 65536}, {165536, -1}};
	struct id_map m;
	struct err err;

	cr_assert_eq(id_map_parse(&m, "0 1000 1,1 100000 65536", "here", &err), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		uint32_t inside = 7;
		const bool has = id_map_inside(&m, table[i].outside, &inside);

		cr_expect_eq(has, table[i].inside >= 0, "%u", table[i].outside);
		cr_expect_eq(inside, has ? (uint32_t)table[i].inside : 7);
	}
	id_map_done(&m);
}

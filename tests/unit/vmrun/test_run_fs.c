/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

/* part of a program, in no library */
#include "cmd/vmrun/run_fs.c"

Test(run_fs, words_become_properties)
{
	static const struct {
		const char *spec, *json;
	} table[] = {
		{"/d:t", "{\"type\":\"fs\",\"source\":\"\\/d\",\"tag\":\"t\"}"},
		{"d:t:ro:cache=never",
		 "{\"type\":\"fs\",\"source\":\"d\",\"tag\":\"t\",\"readonly\":true,\"cache\":"
		 "\"none\"}"},
		{"d:t:type=fs:writeback=true:posix_acl=false",
		 "{\"type\":\"fs\",\"source\":\"d\",\"tag\":\"t\",\"writeback\":true}"},
		{"d:t:uidmap=0 1000 1,1 100000 9:gidmap=0 100 1",
		 "{\"type\":\"fs\",\"source\":\"d\",\"tag\":\"t\",\"uidMappings\":[{"
		 "\"containerID\":0,\"hostID\":1000,\"size\":1},{\"containerID\":1,\"hostID\":"
		 "100000,\"size\":9}],\"gidMappings\":[{\"containerID\":0,\"hostID\":100,\"size\":"
		 "1}]}"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *o = NULL;
		struct err err;

		cr_assert_eq(run_fs(table[i].spec, &o, &err), 0, "%s: %s", table[i].spec, err.msg);
		cr_expect_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
				 table[i].json);
		json_object_put(o);
	}
}

Test(run_fs, other_words_are_refused)
{
	static const struct {
		const char *spec, *msg;
	} table[] = {
		{"d", "--shared-dir: must be DIR:TAG, is \"d\""},
		{":t", "--shared-dir: must be DIR:TAG, is \":t\""},
		{"d:", "--shared-dir: must be DIR:TAG, is \"d:\""},
		{"d:t:type=p9", "--shared-dir: \"type=p9\" is none of ro, "},
		{"d:t:timeout=5", "--shared-dir: \"timeout=5\" is none of ro, "},
		{"d:t:dax=true", "--shared-dir: \"dax=true\" is none of ro, "},
		{"d:t:uidmap=", "--shared-dir: uidmap: must be \"INSIDE"},
		{"d:t:gidmap=0 0", "--shared-dir: gidmap: must be \"INSIDE"},
		{"d:t:uidmap=0 0 2,1 9 1", "--shared-dir: uidmap/1: has ids of the guest that"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *o = NULL;
		struct err err = {0};

		cr_expect_lt(run_fs(table[i].spec, &o, &err), 0, "%s", table[i].spec);
		cr_expect(strncmp(err.msg, table[i].msg, strlen(table[i].msg)) == 0, "%s", err.msg);
		cr_expect_null(o);
	}
}

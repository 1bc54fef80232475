/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

/* part of a program, in no library */
#include "cmd/vmrun/run_block.c"

Test(run_block, words_become_properties)
{
	static const struct {
		const char *spec, *json;
	} table[] = {
		{"a.img", "{\"type\":\"block\",\"path\":\"a.img\"}"},
		{"path=a=b", "{\"type\":\"block\",\"path\":\"a=b\"}"},
		{"a,ro,o_direct",
		 "{\"type\":\"block\",\"path\":\"a\",\"readonly\":true,\"direct\":true}"},
		{"path=a,direct=false,ro=true",
		 "{\"type\":\"block\",\"path\":\"a\",\"direct\":false,\"readonly\":true}"},
		{"direct=true,path=a", "{\"type\":\"block\",\"direct\":true,\"path\":\"a\"}"},
		{"a,format=qcow2,queues=2,id=x,onFailure=restart",
		 "{\"type\":\"block\",\"path\":\"a\",\"format\":\"qcow2\",\"queues\":2,\"serial\":"
		 "\"x\","
		 "\"onFailure\":\"restart\"}"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *o = NULL;
		struct err err;

		cr_assert_eq(run_block(table[i].spec, &o, &err), 0, "%s: %s", table[i].spec,
			     err.msg);
		cr_expect_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
				 table[i].json);
		json_object_put(o);
	}
}

Test(run_block, other_words_are_refused)
{
	static const char unknown[] =
		"unknown key, known are path, ro, readonly, direct, o_direct, "
		"format, queues, serial, id, onFailure";
	static const struct {
		const char *spec, *msg;
	} table[] = {
		{"a,b", NULL},
		{"a,", NULL},
		{"a,sparse=false", NULL},
		{"a,path=b", "--block: path: given twice"},
		{"a,ro,readonly=false", "--block: readonly: given twice"},
		{"a,direct=1", "--block: direct: must be true or false, is 1"},
		{"a,queues", "--block: queues: must be a number"},
		{"a,queues=two", "--block: queues: must be a number, is two"},
		{"a,format", "--block: format: must be given a value"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *o = NULL;
		struct err err;

		cr_assert_eq(run_block(table[i].spec, &o, &err), -EINVAL, "%s", table[i].spec);
		if (table[i].msg)
			cr_expect_str_eq(err.msg, table[i].msg);
		else
			cr_expect(strstr(err.msg, unknown), "%s", err.msg);
	}
}

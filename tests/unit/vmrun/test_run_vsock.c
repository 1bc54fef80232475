/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

/* part of a program, in no library */
#include "cmd/vmrun/run_vsock.c"

#define KEYS " CID, cid=CID, socket=PATH, backend=NAME, listen=PORT"

Test(run_vsock, words_become_properties)
{
	static const struct {
		const char *spec, *json;
	} table[] = {
		{"42", "{\"type\":\"vsock\",\"cid\":42}"},
		{"cid=42", "{\"type\":\"vsock\",\"cid\":42}"},
		{"42,socket=/run/a=b",
		 "{\"type\":\"vsock\",\"cid\":42,\"socket\":\"\\/run\\/a=b\"}"},
		{"backend=user,cid=3", "{\"type\":\"vsock\",\"backend\":\"user\",\"cid\":3}"},
		{"3,listen=5,backend=vhost,listen=6",
		 "{\"type\":\"vsock\",\"cid\":3,\"listen\":[5,6],\"backend\":\"vhost\"}"},
		{"socket=s", "{\"type\":\"vsock\",\"socket\":\"s\"}"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *o = NULL;
		struct err err;

		cr_assert_eq(run_vsock(table[i].spec, &o, &err), 0, "%s: %s", table[i].spec,
			     err.msg);
		cr_expect_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
				 table[i].json);
		json_object_put(o);
	}
}

Test(run_vsock, other_words_are_refused)
{
	static const struct {
		const char *spec, *msg;
	} table[] = {
		{"", "--vsock: cid: must be a number, is \"\""},
		{"x", "--vsock: cid: must be a number, is \"x\""},
		{"-1", "--vsock: cid: must be a number, is \"-1\""},
		{"99999999999999999999",
		 "--vsock: cid: must be a number, is \"99999999999999999999\""},
		{"3,4", "--vsock: \"4\" is none of" KEYS},
		{"3,cid=4", "--vsock: cid: given twice"},
		{"3,", "--vsock: \"\" is none of" KEYS},
		{"3,path=x", "--vsock: \"path=x\" is none of" KEYS},
		{"3,listen=x", "--vsock: listen: must be a number, is \"x\""},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *o = NULL;
		struct err err;

		cr_assert_eq(run_vsock(table[i].spec, &o, &err), -EINVAL, "%s", table[i].spec);
		cr_expect_str_eq(err.msg, table[i].msg);
	}
}

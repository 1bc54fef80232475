/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

/* part of a program, in no library */
#include "cmd/vmrun/run_net.c"

Test(run_net, words_become_properties)
{
	static const struct {
		const char *spec, *json;
	} cases[] = {
		{"private", "{'mode':'private'}"},
		{"private,masquerade", "{'mode':'private','masquerade':true}"},
		{"masquerade", "{'masquerade':true}"},
		{"private,pool=10.123.0.0/16", "{'mode':'private','pool':'10.123.0.0/16'}"},
		{"masquerade=false,mtu=9000", "{'masquerade':false,'mtu':9000}"},
		{"tap,name=t0", "{'mode':'tap','name':'t0'}"},
		{"tap-name=t0,mac=52:54:00:12:34:56",
		 "{'name':'t0','mac':'52:54:00:12:34:56','mode':'tap'}"},
		{"host-ip=10.0.0.1,netmask=255.255.255.0,mac=52:54:00:12:34:56",
		 "{'hostIp':'10.0.0.1','netmask':'255.255.255.0','mac':'52:54:00:12:34:56'}"},
		{"hostIp=10.0.0.1/24,guest-ip=10.0.0.9,gateway=10.0.0.3",
		 "{'hostIp':'10.0.0.1/24','guestIp':'10.0.0.9','gateway':'10.0.0.3'}"},
		{"bridge=br0,vhost-net", "{'bridge':'br0','backend':'vhost','mode':'bridge'}"},
		{"tap,vhost-net=false", "{'mode':'tap','backend':'user'}"},
		{"bridge,bridge=br0", "{'mode':'bridge','bridge':'br0'}"},
		{"netns=/run/netns/a", "{'netns':'/run/netns/a','mode':'netns'}"},
		{"hostNetwork,netns=/proc/self/ns/net",
		 "{'hostNetwork':true,'netns':'/proc/self/ns/net','mode':'netns'}"},
		{"tap-fd=7,vq-pairs=1", "{'fd':7,'queues':1,'mode':'fd'}"},
		{"parent=eth0", "{'parent':'eth0','mode':'macvtap'}"},
		/* judged elsewhere */
		{"nat", "{'mode':'nat'}"},
		{"none,fd=0", "{'mode':'none','fd':0}"},
		{"mode=tap,bridge=br0", "{'mode':'tap','bridge':'br0'}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *got = NULL, *want;
		char text[256];
		struct err err = {0};

		cr_assert_eq(run_net(cases[i].spec, &got, &err), 0, "%s: %s", cases[i].spec,
			     err.msg);
		fmt_into(text, sizeof(text), "%s", cases[i].json);
		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		want = json_tokener_parse(text);
		cr_assert(want);
		json_object_object_add(want, "type", json_object_new_string("net"));
		cr_expect(json_object_equal(want, got), "%s: %s", cases[i].spec,
			  json_object_to_json_string(got));
		json_object_put(want);
		json_object_put(got);
	}
}

Test(run_net, what_is_wrong_is_named)
{
	static const struct {
		const char *spec, *msg;
	} bad[] = {
		{"", "--net: mode: needs a value"},
		{"private,", "--net: unknown key \"\", known are mode, name, tap-name"},
		{"private,nothing=1", "--net: unknown key \"nothing\", known are mode"},
		{"nothing=1", "--net: unknown key \"nothing\""},
		{"tap,name", "--net: name: needs a value"},
		{"tap,name=", "--net: name: needs a value"},
		{"tap-name", "--net: tap-name: needs a value"},
		{"parent", "--net: parent: needs a value"},
		{"vhost-net=", "--net: vhost-net: must be true or false, is empty"},
		{"tap,name=a,tap-name=b", "--net: tap-name: given twice"},
		{"tap,mode=tap", "--net: mode: given twice"},
		{"tap-fd=x", "--net: tap-fd: must be a number, is x"},
		{"fd=-1", "--net: fd: must be a number, is -1"},
		{"mtu=99999999999999999999", "--net: mtu: must be a number"},
		{"private,masquerade=yes", "--net: masquerade: must be true or false, is yes"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *got = NULL;
		struct err err = {0};

		cr_expect_eq(run_net(bad[i].spec, &got, &err), -EINVAL, "%s", bad[i].spec);
		cr_expect_null(got);
		cr_expect(!strncmp(err.msg, bad[i].msg, strlen(bad[i].msg)), "%s: %s", bad[i].spec,
			  err.msg);
	}
}

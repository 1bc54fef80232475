/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks in the state file */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/net/net.h"
#include "runtime/state/state_net.h"
#include "tests/support/addr_text.h"

static struct net_record example(void)
{
	struct net_record m = {
		.mode = NET_MODE_PRIVATE,
		.device = "net0",
		.tap = "tap0",
		.mac = {2, 0, 0, 0, 0, 0xff},
		.mtu = 65535,
		.host = addr("100.64.0.1/30"),
		.guest = addr("100.64.0.2/30"),
		.gateway = addr("100.64.0.1").addr,
	};

	net_name_link("vh", "vm", "net0", 3, m.host_link);
	net_name_table_of(&m, "vm", m.table);
	return m;
}

static void goes_both_ways(const struct net_record *m)
{
	struct json_object *o = state_net_to_json(m);
	struct net_record back = {0};

	cr_assert(state_net_from_json(o, "vm", &back), "%s", json_object_to_json_string(o));
	cr_expect_str_eq(json_object_to_json_string(o),
			 json_object_to_json_string(state_net_to_json(&back)));
	cr_expect_eq(back.mode, m->mode);
	cr_expect_str_eq(back.host_link, m->host_link);
	cr_expect_str_eq(back.table, m->table);
	cr_expect_str_eq(back.netns, m->netns);
	cr_expect_str_eq(back.joined, m->joined);
	cr_expect_arr_eq(back.mac, m->mac, 6);
	cr_expect_eq(back.mtu, m->mtu);
	cr_expect_eq(back.host.addr, m->host.addr);
	cr_expect_eq(back.host.bits, m->host.bits);
	cr_expect_eq(back.guest.addr, m->guest.addr);
	cr_expect_eq(back.gateway, m->gateway);
	cr_expect(back.nr_addrs == m->nr_addrs && back.nr_routes == m->nr_routes &&
		  back.nr_neighs == m->nr_neighs);
	cr_expect_arr_eq(back.addr, m->addr, sizeof(m->addr));
	cr_expect_arr_eq(back.route, m->route, sizeof(m->route));
	cr_expect_arr_eq(back.neigh, m->neigh, sizeof(m->neigh));
	json_object_put(o);
}

Test(state_net, goes_both_ways)
{
	struct net_record m = example();

	goes_both_ways(&m);
	m = (struct net_record){.mode = NET_MODE_NETNS,
				.device = "net1",
				.tap = "vt0",
				.netns = "/run/netns/x",
				.joined = "eth0"};
	goes_both_ways(&m);
	m.nr_addrs = NET_ADDRS_MAX;
	for (unsigned int i = 0; i < NET_ADDRS_MAX; i++)
		m.addr[i] = ip(i % 2 ? "10.0.0.1/8" : "fd00::1/64");
	m.nr_routes = 2;
	m.route[0] = (struct net_route){ip("0.0.0.0/0"), ip("10.0.0.9"), UINT32_MAX};
	m.route[1] = (struct net_route){.dst = ip("fd01::/16")};
	m.nr_neighs = 1;
	m.neigh[0] = (struct net_neigh){ip("fd00::9"), {2, 3, 4, 5, 6, 7}};
	goes_both_ways(&m);
	m = (struct net_record){.mode = NET_MODE_NONE, .device = "net2"};
	goes_both_ways(&m);
}

Test(state_net, hostile_text_is_refused)
{
	/* key, and a value that cannot have been written for the VM "vm" */
	static const struct {
		const char *key, *json;
	} bad[] = {
		{"mode", "\"tunnel\""},
		{"mode", "7"},
		{"mode", "null"},
		{"device", "\"\""},
		{"device", "\"0123456789abcdef\""},
		{"device", "\"net1\""}, /* the names are of net0 */
		{"tap", "\"0123456789abcdef\""},
		{"tap", "[]"},
		{"tap", "\"a\\u0000b\""},
		{"hostInterface", "\"eth0\""},
		{"hostInterface", "\"vh0000000000\""},
		{"table", "\"filter\""},
		{"table", "\"vmrun_other\""},
		{"joined", "\"eth0\""}, /* not in this mode */
		{"mac", "\"02:00:00:00:00\""},
		{"mac", "2"},
		{"mtu", "0"},
		{"mtu", "-1"},
		{"mtu", "65536"},
		{"mtu", "\"1500\""},
		{"hostAddress", "\"100.64.0.1\""},
		{"hostAddress", "\"100.64.0.1/33\""},
		{"guestAddress", "\"x\""},
		{"gateway", "\"100.64.0.1/30\""},
		{"addresses", "\"fd00::1/64\""},
		{"addresses", "[\"fd00::1\"]"},
		{"addresses", "[\"fd00::1/129\"]"},
		{"addresses", "[\"10.0.0.1/33\"]"},
		{"addresses", "[7]"},
		{"addresses", "[\"10.0.0.1/8\\u0000\"]"},
		{"addresses", "[null]"},
		{"addresses", "[\"::/0\",\"::/0\",\"::/0\",\"::/0\",\"::/0\",\"::/0\",\"::/0\","
			      "\"::/0\",\"::/0\",\"::/0\",\"::/0\",\"::/0\",\"::/0\",\"::/0\","
			      "\"::/0\",\"::/0\",\"::/0\"]"}, /* 17 */
		{"routes", "[{}]"},
		{"routes", "[[]]"},
		{"routes", "[{\"destination\":\"::/0\",\"gateway\":\"10.0.0.1\"}]"},
		{"routes", "[{\"destination\":\"::/0\",\"gateway\":\"fd00::1/64\"}]"},
		{"routes", "[{\"destination\":\"::/0\",\"metric\":-1}]"},
		{"routes", "[{\"destination\":\"::/0\",\"metric\":4294967296}]"},
		{"neighbours", "[{\"address\":\"10.0.0.1\"}]"},
		{"neighbours", "[{\"address\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00\"}]"},
		{"neighbours", "[{\"mac\":\"02:00:00:00:00:01\"}]"},
	};
	const struct net_record m = example();
	struct net_record back;
	struct json_object *o;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		o = state_net_to_json(&m);
		json_object_object_add(o, bad[i].key, json_tokener_parse(bad[i].json));
		cr_expect_not(state_net_from_json(o, "vm", &back), "%s",
			      json_object_to_json_string(o));
		json_object_put(o);
	}
	o = state_net_to_json(&m);
	cr_expect_not(state_net_from_json(o, "other", &back));
	json_object_put(o);
	cr_expect_not(state_net_from_json(NULL, "vm", &back));
	o = json_tokener_parse(
		"{\"mode\":\"netns\",\"device\":\"net0\",\"netns\":\"ns\",\"joined\":\"eth0\"}");
	cr_expect_not(state_net_from_json(o, "vm", &back));
}

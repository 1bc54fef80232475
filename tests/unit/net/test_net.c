/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/net/net.h"
#include "runtime/net/priv.h"
#include "runtime/state/state_priv.h"
#include "runtime/util/addr.h"

static struct net_addr addr(const char *text)
{
	struct net_addr a;

	cr_assert_eq(addr_parse(text, &a), 0, "%s", text);
	return a;
}

/* ---- names ---- */

Test(net, mode_names_go_both_ways)
{
	enum net_mode m;

	for (unsigned int i = 0; i < NET_MODES; i++) {
		cr_expect_eq(net_mode_parse(net_mode_names[(enum net_mode)i], &m), 0);
		cr_expect_eq(m, (enum net_mode)i);
	}
	cr_expect_eq(net_mode_parse("", &m), -EINVAL);
	cr_expect_eq(net_mode_parse("Private", &m), -EINVAL);
}

Test(net, link_names_fit_and_differ)
{
	char a[16], b[16], again[16];

	net_name_link("vt", "one", "net0", 0, a);
	net_name_link("vt", "one", "net0", 0, again);
	cr_expect_str_eq(a, again);
	cr_expect_eq(strlen(a), 12, "%s", a);
	cr_expect_eq(strncmp(a, "vt", 2), 0);
	net_name_link("vh", "one", "net0", 0, b);
	cr_expect_str_eq(a + 2, b + 2);
	net_name_link("vt", "one", "net1", 0, b);
	cr_expect_str_neq(a, b);
	net_name_link("vt", "one", "net0", 1, b);
	cr_expect_str_neq(a, b);
	/* where id ends and device begins counts */
	net_name_link("vt", "onenet", "0", 0, b);
	cr_expect_str_neq(a, b);
}

Test(net, table_names)
{
	static const struct {
		const char *id, *device, *table;
	} cases[] = {
		{"web", "net0", "vmrun_web"},
		{"web", "net1", "vmrun_web/net1"},
		{"a-b.c_9", "net0", "vmrun_a-b.c_9"},
		/* the longest that stay as they are: 64 characters */
		{"0123456789012345678901234567890123456789012345678901234567", "net0",
		 "vmrun_0123456789012345678901234567890123456789012345678901234567"},
	};
	char t[NET_TABLE_MAX + 16], u[NET_TABLE_MAX + 16], id[256];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		net_name_table(cases[i].id, cases[i].device, t);
		cr_expect_str_eq(t, cases[i].table);
	}
	memset(id, 'x', 255);
	id[255] = '\0';
	net_name_table(id, "net0", t);
	cr_expect_leq(strlen(t), NET_TABLE_MAX, "%s", t);
	id[254] = 'y';
	net_name_table(id, "net0", u);
	cr_expect_str_neq(t, u);
	net_name_table(id, "net1", t);
	cr_expect_str_neq(t, u);
	/* nft's language has no plus, and a plus is not what it is replaced by */
	net_name_table("a+b", "net0", t);
	cr_expect_null(strchr(t, '+'), "%s", t);
	net_name_table("a_b", "net0", u);
	cr_expect_str_neq(t, u);
}

Test(net, macs_are_local_unicast_and_stay)
{
	uint8_t a[6], b[6];
	char id[8];

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "vm%u", i);
		net_name_mac(id, "net0", a);
		cr_expect_eq(a[0] & 3, 2);
		net_name_mac(id, "net0", b);
		cr_expect_arr_eq(a, b, 6);
		net_name_mac(id, "net1", b);
		cr_expect_neq(memcmp(a, b, 6), 0);
	}
}

Test(net, host_addresses_are_in_the_shared_space)
{
	const struct net_addr pool = net_pool_of(&(struct plan_net){.mtu = 0});
	char id[8];

	for (unsigned int i = 0; i < 2000; i++) {
		struct net_addr a, g;
		uint32_t n;

		snprintf(id, sizeof(id), "%u", i);
		a = net_name_host(pool, id, "net0");
		n = ntohl(a.addr);
		cr_expect_eq(n & 0xffc00000, 0x64400000, "%08x", n);
		cr_expect_eq(n & 3, 1);
		cr_expect_eq(a.bits, 30);
		g = addr_next(a);
		cr_expect_eq(ntohl(g.addr), n + 1);
		cr_expect_eq(net_pool_host(pool, net_pool_link(pool, a, 0)).addr, a.addr);
		cr_expect_neq(net_pool_link(pool, a, i % 7 + 1), net_pool_link(pool, a, 0));
	}
}

Test(net, every_network_of_a_pool_is_tried)
{
	static const char *const pools[] = {"10.0.0.0/30", "10.1.2.128/29", "172.16.0.0/18"};

	for (unsigned int i = 0; i < ARRAY_SIZE(pools); i++) {
		const struct net_addr pool = addr(pools[i]);
		const struct net_addr first = net_name_host(pool, "vm", "net0");
		const uint32_t nr = net_pool_links(pool);
		bool seen[1 << 12] = {false};

		for (uint32_t try = 0; try < nr; try++) {
			const uint32_t n = net_pool_link(pool, first, try);

			cr_assert_lt(n, nr);
			cr_expect_not(seen[n], "%s: %u", pools[i], n);
			seen[n] = true;
		}
	}
}

Test(net, next_addresses)
{
	static const struct {
		const char *host, *guest;
	} cases[] = {
		{"10.0.0.1/24", "10.0.0.2/24"},
		{"10.0.0.253/24", "10.0.0.254/24"},
		{"10.0.0.254/24", "10.0.0.253/24"},
		{"10.0.0.1/30", "10.0.0.2/30"},
		{"10.0.0.2/30", "10.0.0.1/30"},
		{"10.0.0.0/31", "10.0.0.1/31"},
		{"10.0.0.1/31", "10.0.0.0/31"},
		{"10.0.255.254/16", "10.0.255.253/16"},
		{"100.127.255.253/10", "100.127.255.254/10"},
	};
	char text[ADDR_TEXT_BYTES];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		addr_put(addr_next(addr(cases[i].host)), text);
		cr_expect_str_eq(text, cases[i].guest);
	}
	cr_expect_eq(addr_next(addr("10.0.0.1/32")).bits, 0);
	cr_expect_eq(addr_next((struct net_addr){0}).bits, 0);
}

/* ---- what the guest's kernel is told ---- */

static struct net_ip ip(const char *text)
{
	struct net_ip a = {0};

	if (text)
		cr_assert_eq(addr_parse_ip(text, &a), 0, "%s", text);
	return a;
}

static void add_route(struct net_made *m, const char *dst, const char *gateway, uint32_t metric)
{
	m->route[m->nr_routes++] = (struct net_route){ip(dst), ip(gateway), metric};
}

static void told(const struct net_made *m, unsigned int nr, const char *hostname, const char *want)
{
	struct net_guest g = {.quiet = false};
	char text[BOOT_CMDLINE_MAX];
	struct err err;

	snprintf(g.hostname, sizeof(g.hostname), "%s", hostname);
	cr_assert_eq(net_cmdline(m, nr, &g, text, &err), 0, "%s", err.msg);
	cr_expect_str_eq(text, want);
	g.quiet = true;
	cr_assert_eq(net_cmdline(m, nr, &g, text, &err), 0);
	cr_expect_str_eq(text, "");
}

Test(net, cmdline)
{
	struct net_made m[2] = {{.mode = NET_MODE_NONE},
				{.guest = addr("10.1.2.3/20"), .gateway = addr("10.1.0.1").addr}};

	told(m, 2, "web", "ip=10.1.2.3::10.1.0.1:255.255.240.0:web:eth1:off");
	m[1].gateway = 0;
	told(m + 1, 1, "", "ip=10.1.2.3:::255.255.240.0::eth0:off");
	m[1].guest.bits = 0;
	told(m + 1, 1, "web", "");
}

Test(net, cmdline_of_all_that_an_interface_has)
{
	struct net_made m = {.mode = NET_MODE_NETNS,
			     .guest = addr("10.1.2.3/20"),
			     .gateway = addr("10.1.0.1").addr,
			     .nr_addrs = 3,
			     .addr = {ip("fd00::5/64"), ip("10.1.2.3/20"), ip("10.9.9.9/32")},
			     .nr_neighs = 2,
			     .neigh = {{ip("10.1.0.9"), {2, 0, 0, 0, 0, 9}},
				       {ip("fd00::9"), {2, 0, 0, 0, 0, 0xa}}}};

	add_route(&m, "10.7.0.0/16", NULL, 0);
	add_route(&m, "fd07::/16", NULL, 0);
	add_route(&m, "0.0.0.0/0", "10.1.0.1", 0);
	add_route(&m, "172.16.0.0/12", "10.1.0.7", 0);
	add_route(&m, "::/0", "fd00::1", 1024);
	told(&m, 1, "web",
	     "ip=10.1.2.3::10.1.0.1:255.255.240.0:web:eth0:off vmrun.addr=eth0,fd00::5/64 "
	     "vmrun.addr=eth0,10.9.9.9/32 rd.route=10.7.0.0/16:0.0.0.0:eth0 "
	     "rd.route=[fd07::/16]:[::]:eth0 rd.route=172.16.0.0/12:10.1.0.7:eth0 "
	     "rd.route=[::/0]:[fd00::1]:eth0 vmrun.neigh=eth0,10.1.0.9,02:00:00:00:00:09 "
	     "vmrun.neigh=eth0,fd00::9,02:00:00:00:00:0a");
}

Test(net, cmdline_with_a_gateway_outside)
{
	/* as some network plug-ins have it */
	struct net_made m = {.mode = NET_MODE_NETNS,
			     .guest = addr("10.1.2.3/32"),
			     .gateway = addr("169.254.1.1").addr,
			     .nr_addrs = 1,
			     .addr = {ip("10.1.2.3/32")}};

	add_route(&m, "169.254.1.1/32", NULL, 0);
	add_route(&m, "0.0.0.0/0", "169.254.1.1", 0);
	told(&m, 1, "web",
	     "ip=10.1.2.3:::255.255.255.255:web:eth0:off rd.route=169.254.1.1/32:0.0.0.0:eth0 "
	     "rd.route=0.0.0.0/0:169.254.1.1:eth0");
}

Test(net, cmdline_of_two_ways_to_one_place)
{
	struct net_made m[2] = {{.mode = NET_MODE_NETNS,
				 .guest = addr("10.1.2.3/24"),
				 .gateway = addr("10.1.2.1").addr},
				{.mode = NET_MODE_NETNS,
				 .guest = addr("10.2.2.3/24"),
				 .gateway = addr("10.2.2.1").addr}};

	add_route(&m[0], "0.0.0.0/0", "10.1.2.1", 200);
	add_route(&m[0], "10.7.0.0/16", "10.1.2.1", 5);
	add_route(&m[1], "0.0.0.0/0", "10.2.2.1", 100);
	add_route(&m[1], "10.7.0.0/16", "10.2.2.1", 5);
	add_route(&m[1], "10.7.0.0/17", "10.2.2.1", 9);
	told(m, 2, "",
	     "ip=10.1.2.3:::255.255.255.0::eth0:off rd.route=10.7.0.0/16:10.1.2.1:eth0 "
	     "ip=10.2.2.3::10.2.2.1:255.255.255.0::eth1:off rd.route=10.7.0.0/17:10.2.2.1:eth1");
}

Test(net, cmdline_up_to_the_last_byte)
{
	struct net_made m = {.guest = addr("10.1.2.3/20")};
	const char *want = "ip=10.1.2.3:::255.255.240.0::eth0:off";
	struct net_guest g = {.cmdline_bytes = BOOT_CMDLINE_MAX - 2 - strlen(want)};
	char text[BOOT_CMDLINE_MAX];
	struct err err;

	cr_expect_eq(net_cmdline(&m, 1, &g, text, &err), 0);
	cr_expect_str_eq(text, want);
	g.cmdline_bytes++;
	cr_expect_eq(net_cmdline(&m, 1, &g, text, &err), -E2BIG);
	cr_expect(strstr(err.msg, " 2047 bytes") && strstr(err.msg, " 2048: "), "%s", err.msg);
}

Test(net, cmdline_of_far_too_much)
{
	static struct net_made m[BOOT_DEVICES_MAX];
	struct net_guest g = {.quiet = false};
	char text[BOOT_CMDLINE_MAX];
	struct err err;

	for (unsigned int n = 0; n < BOOT_DEVICES_MAX; n++)
		for (unsigned int i = 0; i < NET_ROUTES_MAX; i++) {
			add_route(&m[n], "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128", "fe80::1",
				  0);
			m[n].route[i].dst.addr[0] = (uint8_t)n;
			m[n].route[i].dst.addr[1] = (uint8_t)i;
		}
	cr_expect_eq(net_cmdline(m, BOOT_DEVICES_MAX, &g, text, &err), -E2BIG);
	cr_expect_lt(strlen(text), sizeof(text));
}

/* ---- plans that need no host ---- */

Test(net, plans_none_and_refuses_fds_that_are_none)
{
	struct plan_net p = {
		.mode = NET_MODE_NONE, .queue_pairs = 1, .pointer = (char *)"/vm/devices/0"};
	struct net_made m;
	struct tap tap;
	struct err err;
	int own;

	cr_assert_eq(net_plan(&p, "vm", "net0", &m, &err), 0);
	cr_expect_eq(m.mac[0] & 3, 2);
	cr_assert_eq(net_setup(&p, &m, &tap, &err), 0);
	cr_expect_eq(tap.nr, 0);
	cr_expect_eq(m.mtu, 1500);
	cr_expect_eq(net_undo(&m, &err), 0);

	p.mode = NET_MODE_FD;
	p.fd = 987;
	cr_expect_eq(net_plan(&p, "vm", "net0", &m, &err), -EBADF);
	cr_expect(strstr(err.msg, "/vm/devices/0: fd 987 was not inherited"), "%s", err.msg);
	p.fd = 0;
	cr_expect_eq(net_plan(&p, "vm", "net0", &m, &err), -EBADF);
	/* one that this program opened itself */
	own = open("/dev/null", O_RDWR | O_CLOEXEC);
	p.fd = own;
	cr_expect_eq(net_plan(&p, "vm", "net0", &m, &err), -EBADF);
	/* one that came from outside, but is no TAP */
	own = p.fd = open("/dev/null", O_RDWR);
	p.queue_pairs = 2;
	cr_expect_eq(net_plan(&p, "vm", "net0", &m, &err), -EINVAL);
	p.queue_pairs = 1;
	cr_expect_eq(net_plan(&p, "vm", "net0", &m, &err), 0, "%s", err.msg);
	cr_expect(fcntl(own, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(net_setup(&p, &m, &tap, &err), -EINVAL);
	cr_expect(strstr(err.msg, "/vm/devices/0: "), "%s", err.msg);
}

/* ---- the state file ---- */

static struct net_made example(void)
{
	struct net_made m = {
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

static void goes_both_ways(const struct net_made *m)
{
	struct json_object *o = state_net_to_json(m);
	struct net_made back = {0};

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

Test(net, state_goes_both_ways)
{
	struct net_made m = example();

	goes_both_ways(&m);
	m = (struct net_made){.mode = NET_MODE_NETNS,
			      .device = "net1",
			      .tap = "vt0",
			      .netns = "/run/netns/x",
			      .joined = "eth0"};
	goes_both_ways(&m);
	m.nr_addrs = NET_ADDRS_MAX;
	for (unsigned int i = 0; i < NET_ADDRS_MAX; i++)
		m.addr[i] = ip(i % 2 ? "10.0.0.1/8" : "fd00::1/64");
	add_route(&m, "0.0.0.0/0", "10.0.0.9", UINT32_MAX);
	add_route(&m, "fd01::/16", NULL, 0);
	m.nr_neighs = 1;
	m.neigh[0] = (struct net_neigh){ip("fd00::9"), {2, 3, 4, 5, 6, 7}};
	goes_both_ways(&m);
	m = (struct net_made){.mode = NET_MODE_NONE, .device = "net2"};
	goes_both_ways(&m);
}

Test(net, hostile_state_is_refused)
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
	const struct net_made m = example();
	struct net_made back;
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

/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/net/net.h"
#include "tests/support/addr_text.h"

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
	/* nft's language has no plus, and its replacement is not a plus */
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

/* ---- plans that need no host ---- */

Test(net, plans_mode_none_and_refuses_wrong_fds)
{
	struct plan_net p = {
		.mode = NET_MODE_NONE, .queue_pairs = 1, .pointer = (char *)"/vm/devices/0"};
	struct net_record m;
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

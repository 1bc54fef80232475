/* SPDX-License-Identifier: BSD-3-Clause */
/* The items that a container's init gets of its networks, read back in the words of ip(8) */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/net/net.h"
#include "tests/support/addr_text.h"
#include "tests/support/spec_ip.h"

static void gets(const struct net_record *m, unsigned int nr, const char *want)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};
	cleanup_free char *text = NULL;
	struct err err;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	cr_assert(f);
	net_describe(m, nr, &items);
	cr_assert_eq(spec_items_check(&items, &err), 0, "%s", err.msg);
	spec_ip(items.bytes, items.len, f);
	fclose(f);
	cr_expect_str_eq(text, want);
}

Test(net_describe, all_that_an_interface_has)
{
	struct net_record m = {
		.mode = NET_MODE_NETNS,
		.joined = "ceth7",
		.mac = {2, 0, 0, 0, 0, 1},
		.mtu = 1450,
		.guest = addr("10.1.2.3/20"),
		.gateway = addr("10.1.0.1").addr,
		.nr_addrs = 2,
		.addr = {ip("10.1.2.3/20"), ip("fd00::5/64")},
		.nr_routes = 3,
		.route = {{ip("10.7.0.0/16"), ip(NULL), 0},
			  {ip("0.0.0.0/0"), ip("10.1.0.1"), 0},
			  {ip("::/0"), ip("fd00::1"), 1024}},
		.nr_neighs = 2,
		.neigh = {{ip("10.1.0.9"), {2, 0, 0, 0, 0, 9}},
			  {ip("fd00::9"), {2, 0, 0, 0, 0, 0xa}}},
	};

	gets(&m, 1,
	     "link set ceth7 up mtu 1450\n"
	     "addr add 10.1.2.3/20 dev ceth7 \n"
	     "addr add fd00::5/64 dev ceth7 nodad\n"
	     "route add 10.7.0.0/16 dev ceth7 scope 253\n"
	     "route add 0.0.0.0/0 via 10.1.0.1 dev ceth7 scope 0\n"
	     "route add ::/0 via fd00::1 dev ceth7 metric 1024\n"
	     "neigh replace 10.1.0.9 lladdr 02:00:00:00:00:09 dev ceth7 nud permanent\n"
	     "neigh replace fd00::9 lladdr 02:00:00:00:00:0a dev ceth7 nud permanent\n");
}

/* A device that joined nothing has no item, and links are counted without it. */
Test(net_describe, only_what_has_a_link)
{
	const struct net_record m[] = {
		{.mode = NET_MODE_NETNS},
		{.mode = NET_MODE_NONE, .mtu = 1500},
		{.mode = NET_MODE_PRIVATE,
		 .mtu = 1500,
		 .host = addr("100.64.0.1/30"),
		 .guest = addr("100.64.0.2/30"),
		 .gateway = addr("100.64.0.1").addr},
		{.mode = NET_MODE_BRIDGE, .mtu = 9000},
		{.mode = NET_MODE_NETNS,
		 .joined = "eth0",
		 .mtu = 1500,
		 .nr_addrs = 1,
		 .addr = {ip("10.1.2.3/20")}},
	};

	gets(m, 2, "");
	gets(m, ARRAY_SIZE(m),
	     "link set eth2 up mtu 1500\n"
	     "addr add 100.64.0.2/30 dev eth2 \n"
	     "route add 0.0.0.0/0 via 100.64.0.1 dev eth2 scope 0\n"
	     "link set eth3 up mtu 9000\n"
	     "link set eth0 up mtu 1500\n"
	     "addr add 10.1.2.3/20 dev eth0 \n");
}

/* As the guest's init finds it */
Test(net_describe, a_link_by_its_mac)
{
	const struct net_record m = {.mode = NET_MODE_TAP, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1400};
	cleanup_spec_items struct spec_items items = {.bytes = NULL};
	struct agent_link link;

	net_describe(&m, 1, &items);
	cr_assert_eq(items.len, sizeof(struct agent_item) + sizeof(link) + sizeof("eth0"));
	memcpy(&link, items.bytes + sizeof(struct agent_item), sizeof(link));
	cr_expect_eq(memcmp(link.mac, m.mac, sizeof(m.mac)), 0);
	cr_expect_eq(link.mtu, 1400);
}

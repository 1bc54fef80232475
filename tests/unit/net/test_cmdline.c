/* SPDX-License-Identifier: BSD-3-Clause */
/* The words that the guest's kernel gets of its networks */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/net/net.h"
#include "tests/support/addr_text.h"

static void add_route(struct net_record *m, const char *dst, const char *gateway, uint32_t metric)
{
	m->route[m->nr_routes++] = (struct net_route){ip(dst), ip(gateway), metric};
}

static void gets(const struct net_record *m, unsigned int nr, const char *hostname,
		 const char *want)
{
	struct net_guest g = {.has_ip = false};
	char text[BOOT_CMDLINE_MAX];
	struct err err;

	snprintf(g.hostname, sizeof(g.hostname), "%s", hostname);
	cr_assert_eq(net_cmdline(m, nr, &g, text, &err), 0, "%s", err.msg);
	cr_expect_str_eq(text, want);
	g.has_ip = true;
	cr_assert_eq(net_cmdline(m, nr, &g, text, &err), 0);
	cr_expect_str_eq(text, "");
}

Test(net_cmdline, of_one_address)
{
	struct net_record m[2] = {{.mode = NET_MODE_NONE},
				  {.guest = addr("10.1.2.3/20"), .gateway = addr("10.1.0.1").addr}};

	gets(m, 2, "web", "ip=10.1.2.3::10.1.0.1:255.255.240.0:web:eth1:off");
	m[1].gateway = 0;
	gets(m + 1, 1, "", "ip=10.1.2.3:::255.255.240.0::eth0:off");
	m[1].guest.bits = 0;
	gets(m + 1, 1, "web", "");
}

Test(net_cmdline, of_all_that_an_interface_has)
{
	struct net_record m = {.mode = NET_MODE_NETNS,
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
	gets(&m, 1, "web",
	     "ip=10.1.2.3::10.1.0.1:255.255.240.0:web:eth0:off vmrun.addr=eth0,fd00::5/64 "
	     "vmrun.addr=eth0,10.9.9.9/32 rd.route=10.7.0.0/16:0.0.0.0:eth0 "
	     "rd.route=[fd07::/16]:[::]:eth0 rd.route=172.16.0.0/12:10.1.0.7:eth0 "
	     "rd.route=[::/0]:[fd00::1]:eth0 vmrun.neigh=eth0,10.1.0.9,02:00:00:00:00:09 "
	     "vmrun.neigh=eth0,fd00::9,02:00:00:00:00:0a");
}

Test(net_cmdline, with_a_gateway_outside)
{
	/* as some network plug-ins have it */
	struct net_record m = {.mode = NET_MODE_NETNS,
			       .guest = addr("10.1.2.3/32"),
			       .gateway = addr("169.254.1.1").addr,
			       .nr_addrs = 1,
			       .addr = {ip("10.1.2.3/32")}};

	add_route(&m, "169.254.1.1/32", NULL, 0);
	add_route(&m, "0.0.0.0/0", "169.254.1.1", 0);
	gets(&m, 1, "web",
	     "ip=10.1.2.3:::255.255.255.255:web:eth0:off rd.route=169.254.1.1/32:0.0.0.0:eth0 "
	     "rd.route=0.0.0.0/0:169.254.1.1:eth0");
}

Test(net_cmdline, of_two_ways_to_one_place)
{
	struct net_record m[2] = {{.mode = NET_MODE_NETNS,
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
	gets(m, 2, "",
	     "ip=10.1.2.3:::255.255.255.0::eth0:off rd.route=10.7.0.0/16:10.1.2.1:eth0 "
	     "ip=10.2.2.3::10.2.2.1:255.255.255.0::eth1:off rd.route=10.7.0.0/17:10.2.2.1:eth1");
}

Test(net_cmdline, up_to_the_last_byte)
{
	struct net_record m = {.guest = addr("10.1.2.3/20")};
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

Test(net_cmdline, of_far_too_much)
{
	static struct net_record m[BOOT_DEVICES_MAX];
	struct net_guest g = {.has_ip = false};
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

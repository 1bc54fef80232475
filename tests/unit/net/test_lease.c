/* SPDX-License-Identifier: BSD-3-Clause */
/* What a device answers its guest, made of what is known of the network */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "runtime/net/net.h"
#include "tests/support/addr_text.h"

static struct plan plan;
static struct net_lease lease;

static void setup(void)
{
	plan = (struct plan){.nr_nets = 2, .net = {{.dhcp = true}, {.dhcp = true}}};
	strcpy(plan.hostname, "alice");
}

TestSuite(net_lease, .init = setup);

static void add_route(struct net_record *m, const char *dst, const char *gateway, uint32_t metric)
{
	m->route[m->nr_routes++] = (struct net_route){ip(dst), ip(gateway), metric};
}

static bool is_ip6(const uint8_t *got, const char *text)
{
	uint8_t want[16];

	return inet_pton(AF_INET6, text, want) == 1 && memcmp(got, want, sizeof(want)) == 0;
}

static void has_prefix(unsigned int i, const char *text, uint8_t bits, uint8_t flags)
{
	const struct net_lease_prefix *p = &lease.prefix[i];

	cr_expect(i < lease.nr_prefixes && is_ip6(p->addr, text) && p->bits == bits &&
			  p->flags == flags,
		  "%s/%u 0x%x: is /%u 0x%x", text, bits, flags, p->bits, p->flags);
}

static bool says_nothing(void)
{
	static const struct net_lease nothing;

	return memcmp(&lease, &nothing, sizeof(nothing)) == 0;
}

Test(net_lease, of_a_private_link)
{
	const struct net_record m = {.mode = NET_MODE_PRIVATE,
				     .host = addr("100.64.0.1/30"),
				     .guest = addr("100.64.0.2/30"),
				     .gateway = addr("100.64.0.1").addr};

	plan.net[0].nr_dns = 2;
	plan.net[0].dns[0] = ip("2620:fe::9");
	plan.net[0].dns[1] = ip("9.9.9.9");
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(lease.bits == 30 && lease.addr == inet_addr("100.64.0.2"));
	cr_expect(lease.gateway == inet_addr("100.64.0.1") && lease.server == lease.gateway);
	cr_expect(lease.nr_routes == 0 && lease.nr_prefixes == 0 && lease.nr_addrs6 == 0);
	cr_expect(lease.nr_dns == 1 && lease.dns[0] == inet_addr("9.9.9.9"));
	cr_expect(lease.nr_dns6 == 1 && is_ip6(lease.dns6[0], "2620:fe::9"));
	cr_expect_str_eq(lease.hostname, "alice");
}

Test(net_lease, the_server_has_a_name_everywhere)
{
	struct net_record m = {.guest = addr("10.0.0.2/24"), .host = addr("10.0.0.1/24")};

	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(lease.server == inet_addr("10.0.0.1") && lease.gateway == 0);
	m.host.addr = 0;
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect_eq(lease.server, inet_addr("192.0.0.8"));
}

Test(net_lease, nothing_is_known_or_wanted)
{
	struct net_record m = {.mode = NET_MODE_BRIDGE};

	plan.net[0].nr_dns = 1;
	plan.net[0].dns[0] = ip("9.9.9.9");
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(says_nothing());
	m.guest = addr("10.0.0.2/24");
	plan.net[0].dhcp = false;
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(says_nothing());
}

Test(net_lease, a_hostname_of_the_longest_kind)
{
	const struct net_record m = {.guest = addr("10.0.0.2/24")};

	memset(plan.hostname, 'a', sizeof(plan.hostname) - 1);
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect_eq(strnlen(lease.hostname, sizeof(lease.hostname)), 64);
}

Test(net_lease, a_gateway_outside_the_network)
{
	struct net_record m = {.mode = NET_MODE_NETNS,
			       .guest = addr("10.1.2.3/32"),
			       .gateway = addr("169.254.1.1").addr};

	add_route(&m, "169.254.1.1/32", NULL, 0);
	add_route(&m, "10.7.0.0/16", "169.254.1.1", 0);
	add_route(&m, "0.0.0.0/0", "169.254.1.1", 0);
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(lease.bits == 32 && lease.gateway == m.gateway && lease.nr_routes == 2);
	cr_expect(lease.route[0].dst == m.gateway && lease.route[0].bits == 32 &&
		  lease.route[0].gateway == 0);
	cr_expect(lease.route[1].dst == inet_addr("10.7.0.0") && lease.route[1].bits == 16 &&
		  lease.route[1].gateway == m.gateway);
}

Test(net_lease, a_route_that_another_device_does_better)
{
	struct net_record m[2] = {{.guest = addr("10.1.2.3/24"), .gateway = addr("10.1.2.1").addr},
				  {.guest = addr("10.2.2.3/24"), .gateway = addr("10.2.2.1").addr}};

	add_route(&m[0], "0.0.0.0/0", "10.1.2.1", 200);
	add_route(&m[0], "10.7.0.0/16", "10.1.2.1", 5);
	add_route(&m[1], "0.0.0.0/0", "10.2.2.1", 100);
	add_route(&m[1], "10.7.0.0/16", "10.2.2.1", 5);
	net_lease(&plan, m, 2, 0, &lease);
	cr_expect(lease.gateway == 0 && lease.server == m[0].gateway && lease.nr_routes == 1);
	net_lease(&plan, m, 2, 1, &lease);
	cr_expect(lease.gateway == m[1].gateway && lease.nr_routes == 0);
}

Test(net_lease, ipv6_addresses_by_either_protocol)
{
	struct net_record m = {.mode = NET_MODE_NETNS,
			       .mac = {2, 0, 0, 0, 0, 1},
			       .nr_addrs = 5,
			       .addr = {ip("10.1.2.3/24"), ip("fd00::ff:fe00:1/64"),
					ip("fd01::7/64"), ip("fd02::ff:fe00:1/80"),
					ip("fd03::1/128")}};

	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect_eq(lease.nr_addrs6, 3);
	cr_expect(is_ip6(lease.addr6[0], "fd01::7") && is_ip6(lease.addr6[1], "fd02::ff:fe00:1") &&
		  is_ip6(lease.addr6[2], "fd03::1"));
	cr_expect_eq(lease.nr_prefixes, 3);
	has_prefix(0, "fd00::", 64, NET_PREFIX_ONLINK | NET_PREFIX_AUTO);
	has_prefix(1, "fd01::", 64, NET_PREFIX_ONLINK);
	has_prefix(2, "fd02::", 80, NET_PREFIX_ONLINK);
	cr_expect(lease.default6 == 0 && is_ip6(lease.router, "::"));
}

Test(net_lease, ipv6_routes_through_one_router)
{
	struct net_record m = {.mode = NET_MODE_NETNS, .nr_addrs = 1, .addr = {ip("fd00::7/64")}};

	add_route(&m, "fd09::/48", NULL, 0);
	add_route(&m, "fd0a::/16", "fe80::9", 0);
	add_route(&m, "fd0b::/16", "fe80::1", 0);
	add_route(&m, "fd0c::/16", "fd00::1", 0);
	add_route(&m, "::/0", "fe80::1", 0);
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(lease.default6 == 1 && is_ip6(lease.router, "fe80::1"));
	cr_expect_eq(lease.nr_prefixes, 3);
	has_prefix(0, "fd00::", 64, NET_PREFIX_ONLINK);
	has_prefix(1, "fd09::", 48, NET_PREFIX_ONLINK);
	has_prefix(2, "fd0b::", 16, NET_PREFIX_ROUTED);
	/* without a default route the first one counts */
	m.nr_routes--;
	net_lease(&plan, &m, 1, 0, &lease);
	cr_expect(lease.default6 == 0 && is_ip6(lease.router, "fe80::9"));
	has_prefix(2, "fd0a::", 16, NET_PREFIX_ROUTED);
}

Test(net_lease, by_a_file)
{
	const struct net_record m = {.guest = addr("10.0.0.2/24")};
	struct net_lease got;
	struct err err;
	int fd;

	net_lease(&plan, &m, 1, 0, &lease);
	fd = net_lease_file(&lease, &err);
	cr_assert_geq(fd, 0);
	cr_expect_eq(read(fd, &got, sizeof(got)), sizeof(got));
	cr_expect_eq(memcmp(&got, &lease, sizeof(got)), 0);
	cr_expect_eq(read(fd, &got, 1), 0);
}

Test(net_lease, of_a_device_without_a_vm)
{
	/* A guest whose MAC was all zeros would make this address of it: its MAC is not known. */
	const struct net_record m = {.guest = addr("10.0.0.2/24"),
				     .gateway = addr("10.0.0.1").addr,
				     .nr_addrs = 1,
				     .addr = {ip("fd00::200:ff:fe00:0/64")},
				     .nr_routes = 1,
				     .route = {{.dst = ip("::/0"), .gateway = ip("fe80::1")}}};
	const struct net_ip dns[] = {ip("2620:fe::9"), ip("9.9.9.9")};
	const struct net_record nothing = {.mode = NET_MODE_PRIVATE};

	net_lease_alone(&m, dns, 2, "bob", &lease);
	cr_expect(lease.any_mac && lease.bits == 24 && lease.server == lease.gateway);
	cr_expect(lease.nr_addrs6 == 1 && is_ip6(lease.addr6[0], "fd00::200:ff:fe00:0"));
	cr_expect(lease.default6 && is_ip6(lease.router, "fe80::1"));
	has_prefix(0, "fd00::", 64, NET_PREFIX_ONLINK);
	cr_expect(lease.nr_dns == 1 && lease.nr_dns6 == 1);
	cr_expect_str_eq(lease.hostname, "bob");
	net_lease_alone(&nothing, dns, 2, NULL, &lease);
	cr_expect(says_nothing());
}

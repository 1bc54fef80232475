/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of links, addresses, routes and neighbours; and routes as the kernel might write them */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/netlink/netns.h"
#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/rtnl_dump.h"
#include "tests/support/rtnl_rig.h"

TestSuite(rtnl_dump, .init = rtnl_rig_begin);

Test(rtnl_dump, addresses_are_listed)
{
	struct rtnl_link a = veth("va", "vb");
	struct rtnl_addr list[RTNL_ADDRS_MAX];
	struct net_addr want = net("100.64.7.1", 30);
	unsigned int nr = 0, v4 = 0, v6 = 0;

	ok(rtnl_addr_add(&nl, a.index, want, &err));
	cr_expect_eq(rtnl_addr_add(&nl, a.index, want, &err), -EEXIST);
	cr_expect(strstr(err.msg, "100.64.7.1/30"), "%s", err.msg);
	cr_expect_eq(rtnl_addr_add(&nl, 4242, want, &err), -ENODEV, "%s", err.msg);
	bring_up(a.index);
	bring_up(1);
	ok(rtnl_addrs(&nl, list, &nr, &err));
	for (unsigned int i = 0; i < nr; i++) {
		v6 += list[i].family == AF_INET6;
		if (list[i].family != AF_INET || list[i].index != a.index)
			continue;
		v4++;
		cr_expect_eq(list[i].bits, 30);
		cr_expect_eq(list[i].scope, RT_SCOPE_UNIVERSE);
		cr_expect(memcmp(list[i].addr, &want.addr, 4) == 0);
	}
	cr_expect_eq(v4, 1);
	if (access("/proc/net/if_inet6", F_OK) == 0)
		cr_expect_geq(v6, 1, "loopback has ::1");
}

Test(rtnl_dump, an_address_with_a_peer_is_the_near_one)
{
	struct rtnl_link a = veth("va", "vb");
	struct rtnl_addr list[RTNL_ADDRS_MAX];
	struct net_addr near = net("10.9.0.1", 32), far = net("10.9.0.2", 32);
	struct nlmsghdr *nlh = nl_begin(&nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	unsigned int nr = 0;

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_index = (uint32_t)a.index;
	mnl_attr_put_u32(nlh, IFA_LOCAL, near.addr);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, far.addr);
	ok(nl_talk(&nl, NULL, NULL, "add address", &err));
	ok(rtnl_addrs(&nl, list, &nr, &err));
	cr_assert_eq(nr, 1, "%u", nr);
	cr_expect(memcmp(list[0].addr, &near.addr, 4) == 0);
}

Test(rtnl_dump, overlaps_are_in_use)
{
	static const struct {
		const char *text;
		uint8_t bits;
		int in_use;
	} table[] = {
		{"100.64.7.0", 30, 1},	{"100.64.7.1", 32, 1},	 {"100.64.0.0", 10, 1},
		{"100.64.7.4", 30, 0},	{"100.64.6.252", 30, 0}, {"100.64.7.2", 31, 1},
		{"192.168.0.0", 16, 0}, {"0.0.0.0", 0, 1},
	};
	struct rtnl_link a = veth("va", "vb");

	cr_expect_eq(rtnl_addr_in_use(&nl, net("100.64.7.0", 30), &err), 0);
	ok(rtnl_addr_add(&nl, a.index, net("100.64.7.1", 30), &err));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(rtnl_addr_in_use(&nl, net(table[i].text, table[i].bits), &err),
			     table[i].in_use, "%s/%u", table[i].text, table[i].bits);
}

Test(rtnl_dump, more_than_fit_is_e2big_and_the_socket_goes_on)
{
	struct rtnl_addr list[RTNL_ADDRS_MAX];
	struct rtnl_link a = veth("va", "vb"), l;
	struct net_addr n = net("10.1.0.1", 24);
	unsigned int nr = 77;

	/* Enough for several datagrams, so that the dump is left in its middle. */
	for (int i = 0; i < 200; i++) {
		ok(rtnl_addr_add(&nl, a.index, n, &err));
		n.addr = htonl(ntohl(n.addr) + 256);
	}
	cr_expect_eq(rtnl_addrs(&nl, list, &nr, &err), -E2BIG);
	cr_expect(strstr(err.msg, "more than 64"), "%s", err.msg);
	cr_expect_eq(nr, 77);
	ok(rtnl_link_get(&nl, "va", &l, &err));
	cr_expect_eq(l.index, a.index);
	cr_expect_eq(rtnl_addr_in_use(&nl, net("10.1.199.0", 24), &err), 1,
		     "what asks for one does not care how many there are");
	cr_expect_eq(rtnl_addr_in_use(&nl, net("10.1.200.0", 24), &err), 0);
}

static void add_route(int out, struct net_addr gateway, uint32_t table)
{
	struct nlmsghdr *nlh = nl_begin(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = AF_INET;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_GATEWAY, gateway.addr);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)out);
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	ok(nl_talk(&nl, NULL, NULL, "add route", &err));
}

Test(rtnl_dump, routes_of_the_main_table)
{
	struct rtnl_route list[RTNL_ROUTES_MAX];
	struct rtnl_link a = veth("va", "vb"), b;
	struct net_addr gw = net("10.9.0.1", 24), subnet = net("10.9.0.0", 24);
	unsigned int nr = 0, defaults = 0, subnets = 0;

	ok(rtnl_link_get(&nl, "vb", &b, &err));
	ok(rtnl_addr_add(&nl, a.index, net("10.9.0.2", 24), &err));
	bring_up(a.index);
	bring_up(b.index);
	add_route(a.index, gw, RT_TABLE_MAIN);
	add_route(a.index, gw, 100);
	add_route(a.index, gw, 1000);
	ok(rtnl_routes(&nl, list, &nr, &err));
	for (unsigned int i = 0; i < nr; i++) {
		if (list[i].family != AF_INET)
			continue;
		cr_expect_eq(list[i].out_index, a.index);
		if (list[i].bits == 0) {
			defaults++;
			cr_expect(list[i].has_gateway);
			cr_expect(memcmp(list[i].gateway, &gw.addr, 4) == 0);
		} else {
			subnets++;
			cr_expect_eq(list[i].bits, 24);
			cr_expect_not(list[i].has_gateway);
			cr_expect_eq(list[i].scope, RT_SCOPE_LINK);
			cr_expect(memcmp(list[i].dst, &subnet.addr, 4) == 0);
		}
	}
	cr_expect_eq(defaults, 1, "of one table");
	cr_expect_eq(subnets, 1, "no addresses of the local table");
}

static void add_neigh(int index, const char *ip, uint16_t state)
{
	struct nlmsghdr *nlh = nl_begin(&nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = index;
	ndm->ndm_state = state;
	mnl_attr_put_u32(nlh, NDA_DST, net(ip, 32).addr);
	mnl_attr_put(nlh, NDA_LLADDR, 6, mac);
	ok(nl_talk(&nl, NULL, NULL, "add neighbour", &err));
}

Test(rtnl_dump, neighbours_that_were_set)
{
	struct rtnl_neigh list[RTNL_NEIGHS_MAX];
	struct rtnl_link a = veth("va", "vb");
	struct net_addr want = net("10.9.0.7", 32);
	unsigned int nr = 0;

	bring_up(a.index);
	add_neigh(a.index, "10.9.0.7", NUD_PERMANENT);
	add_neigh(a.index, "10.9.0.8", NUD_STALE);
	ok(rtnl_neighs(&nl, list, &nr, &err));
	cr_assert_eq(nr, 1, "%u", nr);
	cr_expect_eq(list[0].index, a.index);
	cr_expect_eq(list[0].family, AF_INET);
	cr_expect(memcmp(list[0].addr, &want.addr, 4) == 0);
	cr_expect(memcmp(list[0].mac, mac, 6) == 0);
}

Test(rtnl_dump, links_are_listed_up_to_a_limit)
{
	struct rtnl_link list[RTNL_LINKS_MAX];
	unsigned int nr = 0, before;
	char name[16];

	ok(rtnl_links(&nl, list, &before, &err));
	cr_assert_geq(before, 1);
	ok(rtnl_veth_add(&nl, "va", "vb", -1, &err));
	ok(rtnl_links(&nl, list, &nr, &err));
	cr_assert_eq(nr, before + 2);
	for (unsigned int i = 0; i < nr; i++)
		cr_expect(in_proc_net_dev(list[i].name), "%s", list[i].name);
	for (int i = 0; i < RTNL_LINKS_MAX / 2; i++) {
		char peer[16];

		snprintf(name, sizeof(name), "x%d", i);
		snprintf(peer, sizeof(peer), "y%d", i);
		ok(rtnl_veth_add(&nl, name, peer, -1, &err));
	}
	cr_expect_eq(rtnl_links(&nl, list, &nr, &err), -E2BIG);
}

/* A route as the kernel might tell it, with attributes on top: what the parser makes of it */
static int parse_route(struct rtmsg rtm, const struct nlattr *const *attr, struct rtnl_route *ret)
{
	static char buffer[1024] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	union rtnl_item item;
	int rc;

	nlh->nlmsg_type = RTM_NEWROUTE;
	*(struct rtmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(rtm)) = rtm;
	for (; *attr; attr++)
		mnl_attr_put(nlh, (*attr)->nla_type, (*attr)->nla_len - sizeof(**attr), *attr + 1);
	rc = rtnl_parse(RTNL_ROUTE, nlh, &item);
	*ret = item.route;
	return rc;
}

struct attr {
	struct nlattr a;
	uint8_t bytes[20];
};
#define ATTR(type, len)                                                                            \
	{                                                                                          \
		.a = {sizeof(struct nlattr) + (len), type}, .bytes = { 1, 2, 3, 4, 5, 6, 7 }       \
	}

static const struct attr oif = {.a = {8, RTA_OIF}, .bytes = {7}};
static const struct attr dst4 = ATTR(RTA_DST, 4), dst6 = ATTR(RTA_DST, 16);
static const struct attr gw4 = ATTR(RTA_GATEWAY, 4), gw6 = ATTR(RTA_GATEWAY, 16);
static const struct attr metric = ATTR(RTA_PRIORITY, 4), metric_8 = ATTR(RTA_PRIORITY, 8);
static const struct attr via = ATTR(RTA_VIA, 18), gw_5 = ATTR(RTA_GATEWAY, 5);
static const struct {
	struct rtmsg rtm;
	const struct nlattr *attr[5];
	int rc;
	bool implied;
} route_rows[] = {
#define MAIN .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST
#define V4   .rtm_family = AF_INET
#define V6   .rtm_family = AF_INET6
	{{MAIN, V4, .rtm_dst_len = 24}, {&oif.a, &dst4.a, &gw4.a, &metric.a}, 1, false},
	{{MAIN, V6, .rtm_dst_len = 128}, {&oif.a, &dst6.a, &gw6.a, &metric.a}, 1, false},
	{{MAIN, V4, .rtm_protocol = RTPROT_KERNEL}, {&oif.a, &metric.a}, 1, true},
	{{MAIN, V6, .rtm_protocol = RTPROT_RA}, {&oif.a, &gw6.a, &metric.a}, 1, true},
	{{MAIN, V4, .rtm_flags = RTNH_F_ONLINK}, {&oif.a, &gw4.a, &metric.a}, 1, false},
	/* none of ours */
	{{MAIN, V4}, {&oif.a, &via.a, &metric.a}, 0, false},
	{{MAIN, V4}, {&gw4.a}, 0, false},
	{{V4, .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_UNICAST}, {&oif.a}, 0, false},
	{{V4, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_BLACKHOLE}, {&oif.a}, 0, false},
	{{V4, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_MULTICAST}, {&oif.a}, 0, false},
	{{MAIN, .rtm_family = AF_PACKET}, {&oif.a}, 0, false},
	{{MAIN, V4, .rtm_tos = 0x10}, {&oif.a}, 0, false},
	{{MAIN, V6, .rtm_src_len = 64}, {&oif.a}, 0, false},
	/* of no sense */
	{{MAIN, V4, .rtm_dst_len = 24}, {&oif.a}, -EPROTO, false},
	{{MAIN, V4, .rtm_dst_len = 33}, {&oif.a, &dst4.a}, -EPROTO, false},
	{{MAIN, V6, .rtm_dst_len = 129}, {&oif.a, &dst6.a}, -EPROTO, false},
	{{MAIN, V4}, {&oif.a, &gw6.a}, -EPROTO, false},
	{{MAIN, V6}, {&oif.a, &gw4.a}, -EPROTO, false},
	{{MAIN, V4}, {&oif.a, &gw_5.a}, -EPROTO, false},
	{{MAIN, V4}, {&oif.a, &gw4.a, &metric_8.a}, -EPROTO, false},
};

Test(rtnl_parse, routes)
{
	for (size_t i = 0; i < ARRAY_SIZE(route_rows); i++) {
		struct rtnl_route t = {0};

		cr_expect_eq(parse_route(route_rows[i].rtm, route_rows[i].attr, &t),
			     route_rows[i].rc, "row %zu", i);
		if (route_rows[i].rc != 1)
			continue;
		cr_expect_eq(t.out_index, 7);
		cr_expect_eq(t.metric, 0x04030201);
		cr_expect_eq(t.implied, route_rows[i].implied, "row %zu", i);
		cr_expect_eq(t.connected, route_rows[i].rtm.rtm_protocol == RTPROT_KERNEL);
		cr_expect_eq(t.bits, route_rows[i].rtm.rtm_dst_len);
	}
}

/* It ends where its header does, right before a page that must not be read. */
Test(rtnl_parse, an_answer_without_a_body)
{
	static const uint16_t types[] = {RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH,
					 RTM_NEWRULE};
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct nlmsghdr *nlh = (void *)(page + 4096 - sizeof(*nlh));

	cr_assert(page != MAP_FAILED && mprotect(page + 4096, 4096, PROT_NONE) == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		*nlh = (struct nlmsghdr){.nlmsg_len = sizeof(*nlh), .nlmsg_type = types[i]};
		for (enum rtnl_kind kind = 0; kind < RTNL_KINDS; kind++) {
			union rtnl_item item;

			cr_expect_eq(rtnl_parse(kind, nlh, &item), -EPROTO, "type %u, kind %u",
				     types[i], kind);
		}
	}
}

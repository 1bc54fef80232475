/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/tap.h"
#include "tests/support/private_net.h"

static struct nl nl;
static struct err err;

static void begin(void)
{
	private_net_open(&nl);
}

TestSuite(rtnl, .init = begin);

static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

/* One line of a file below /sys/class/net, "" when there is none */
static const char *sys(const char *name, const char *file)
{
	static char text[64];
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool in_proc_net_dev(const char *name)
{
	char line[512], start[32];
	bool found = false;
	FILE *f = fopen("/proc/thread-self/net/dev", "re");

	cr_assert(f);
	snprintf(start, sizeof(start), "%s:", name);
	while (fgets(line, sizeof(line), f))
		found |= strncmp(line + strspn(line, " "), start, strlen(start)) == 0;
	fclose(f);
	return found;
}

static struct rtnl_link veth(const char *name, const char *peer)
{
	struct rtnl_link l;

	ok(rtnl_veth_add(&nl, name, peer, -1, &err));
	ok(rtnl_link_get(&nl, name, &l, &err));
	return l;
}

static struct rtnl_change change(void)
{
	return (struct rtnl_change){.netns_fd = -1};
}

static void bring_up(int index)
{
	struct rtnl_change c = change();

	c.up = true;
	ok(rtnl_link_change(&nl, index, &c, &err));
}

Test(rtnl, a_new_namespace_has_a_loopback)
{
	struct rtnl_link l;

	ok(rtnl_link_get(&nl, "lo", &l, &err));
	cr_expect_eq(l.index, 1);
	cr_expect(l.loopback);
	cr_expect_not(l.up);
	cr_expect_eq(l.mtu, 65536);
	cr_expect_str_eq(l.name, "lo");
}

Test(rtnl, a_missing_link_is_enodev)
{
	struct rtnl_link l = {.index = 77};

	cr_expect_eq(rtnl_link_get(&nl, "nowhere", &l, &err), -ENODEV);
	cr_expect(strstr(err.msg, "nowhere"), "%s", err.msg);
	cr_expect_eq(l.index, 77, "outputs are untouched on failure");
	cr_expect_eq(rtnl_link_del(&nl, 12345, &err), -ENODEV, "%s", err.msg);
}

Test(rtnl, names_that_are_none)
{
	static const char *const bad[] = {"", "sixteen-bytes-xx", "a-name-that-is-much-too-long"};
	struct rtnl_change c = change();
	struct rtnl_link l;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		c.name = bad[i];
		cr_expect_eq(rtnl_link_get(&nl, bad[i], &l, &err), -EINVAL);
		cr_expect_eq(rtnl_veth_add(&nl, bad[i], "b", -1, &err), -EINVAL);
		cr_expect_eq(rtnl_veth_add(&nl, "a", bad[i], -1, &err), -EINVAL);
		cr_expect_eq(rtnl_macvtap_add(&nl, bad[i], 1, mac, &err), -EINVAL);
		cr_expect_eq(rtnl_link_change(&nl, 1, &c, &err), -EINVAL);
	}
	cr_expect_not(in_proc_net_dev("a"));
}

Test(rtnl, veth_pairs_come_and_go)
{
	struct rtnl_link a = veth("va", "vb"), b;

	ok(rtnl_link_get(&nl, "vb", &b, &err));
	cr_expect_str_eq(a.kind, "veth");
	cr_expect_neq(a.index, b.index);
	cr_expect(in_proc_net_dev("va") && in_proc_net_dev("vb"));
	cr_expect_eq(atoi(sys("va", "ifindex")), a.index);

	cr_expect_eq(rtnl_veth_add(&nl, "vc", "vb", -1, &err), -EEXIST, "%s", err.msg);
	cr_expect_not(in_proc_net_dev("vc"));
	cr_expect_eq(rtnl_veth_add(&nl, "va", "vc", -1, &err), -EEXIST);

	ok(rtnl_link_del(&nl, b.index, &err));
	cr_expect_not(in_proc_net_dev("va") || in_proc_net_dev("vb"));
	cr_expect_eq(rtnl_link_del(&nl, a.index, &err), -ENODEV);
}

Test(rtnl, the_peer_is_born_in_another_namespace)
{
	int here = -1, there = -1;
	struct rtnl_link l;
	struct nl inner;

	ok(netns_enter(-1, &here, &err));
	ok(nl_open(&inner, NETLINK_ROUTE, &err));
	ok(netns_open("/proc/thread-self/ns/net", &there, &err));
	netns_leave(here);

	ok(rtnl_veth_add(&nl, "outside", "inside", there, &err));
	cr_expect(in_proc_net_dev("outside"));
	cr_expect_not(in_proc_net_dev("inside"));
	ok(rtnl_link_get(&inner, "inside", &l, &err));
	cr_expect_eq(rtnl_link_get(&inner, "outside", &l, &err), -ENODEV);
	cr_expect_eq(rtnl_link_get(&nl, "inside", &l, &err), -ENODEV);
	nl_close(&inner);
	close(there);
}

Test(rtnl, changes_are_carried_out_and_nothing_else)
{
	struct rtnl_link a = veth("va", "vb"), now;
	struct rtnl_change c = change();

	ok(rtnl_link_change(&nl, a.index, &c, &err));
	ok(rtnl_link_get(&nl, "va", &now, &err));
	cr_expect(memcmp(&now, &a, sizeof(a)) == 0, "nothing was asked for");

	c.mtu = 1400;
	c.mac = mac;
	c.name = "renamed";
	ok(rtnl_link_change(&nl, a.index, &c, &err));
	ok(rtnl_link_get(&nl, "renamed", &now, &err));
	cr_expect_eq(now.index, a.index);
	cr_expect_eq(now.mtu, 1400);
	cr_expect(memcmp(now.mac, mac, 6) == 0);
	cr_expect_not(now.up);
	cr_expect_str_eq(sys("renamed", "address"), "02:11:22:33:44:55");
	cr_expect_str_eq(sys("renamed", "mtu"), "1400");

	bring_up(a.index);
	ok(rtnl_link_get(&nl, "renamed", &now, &err));
	cr_expect(now.up);
	cr_expect_eq(now.mtu, 1400);
}

Test(rtnl, links_join_bridges_and_move)
{
	struct rtnl_link a = veth("va", "vb"), bridge, now;
	struct rtnl_change c = change();
	int here = -1, there = -1;
	struct nl inner;

	/* vmrun makes no bridges: the kernel's own way to get one */
	{
		struct nlmsghdr *nlh = nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
		struct nlattr *info;

		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
		mnl_attr_put_strz(nlh, IFLA_IFNAME, "br0");
		info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
		mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
		mnl_attr_nest_end(nlh, info);
		if (nl_talk(&nl, NULL, NULL, "add bridge", &err) < 0)
			cr_skip_test("this kernel has no bridges");
	}
	ok(rtnl_link_get(&nl, "br0", &bridge, &err));
	cr_expect_str_eq(bridge.kind, "bridge");
	c.master = bridge.index;
	ok(rtnl_link_change(&nl, a.index, &c, &err));
	ok(rtnl_link_get(&nl, "va", &now, &err));
	cr_expect_eq(now.master, bridge.index);
	cr_expect(*sys("va", "brport/port_no"));

	ok(netns_enter(-1, &here, &err));
	ok(nl_open(&inner, NETLINK_ROUTE, &err));
	ok(netns_open("/proc/thread-self/ns/net", &there, &err));
	netns_leave(here);
	c = change();
	c.netns_fd = there;
	ok(rtnl_link_change(&nl, a.index, &c, &err));
	cr_expect_not(in_proc_net_dev("va"));
	ok(rtnl_link_get(&inner, "va", &now, &err));
	cr_expect_eq(now.master, 0);
	nl_close(&inner);
	close(there);
}

Test(rtnl, macvtaps_have_a_parent)
{
	struct rtnl_link a = veth("va", "vb"), m;

	if (rtnl_macvtap_add(&nl, "mv0", a.index, mac, &err) == -EOPNOTSUPP)
		cr_skip_test("this kernel has no macvtap");
	ok(rtnl_link_get(&nl, "mv0", &m, &err));
	cr_expect_str_eq(m.kind, "macvtap");
	cr_expect(memcmp(m.mac, mac, 6) == 0);
	cr_expect_eq(atoi(sys("mv0", "iflink")), a.index);
	cr_expect_eq(rtnl_macvtap_add(&nl, "mv1", 4242, mac, &err), -ENODEV, "%s", err.msg);
}

Test(rtnl, addresses_are_listed)
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

Test(rtnl, an_address_with_a_peer_is_the_near_one)
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

Test(rtnl, overlaps_are_in_use)
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

Test(rtnl, more_than_fit_is_e2big_and_the_socket_goes_on)
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

Test(rtnl, routes_of_the_main_table)
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

Test(rtnl, neighbours_that_were_set)
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

Test(rtnl, links_are_listed_up_to_a_limit)
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
	int r;

	nlh->nlmsg_type = RTM_NEWROUTE;
	*(struct rtmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(rtm)) = rtm;
	for (; *attr; attr++)
		mnl_attr_put(nlh, (*attr)->nla_type, (*attr)->nla_len - sizeof(**attr), *attr + 1);
	r = rtnl_parse(RTNL_ROUTE, nlh, &item);
	*ret = item.route;
	return r;
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
	int r;
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
			     route_rows[i].r, "row %zu", i);
		if (route_rows[i].r != 1)
			continue;
		cr_expect_eq(t.out_index, 7);
		cr_expect_eq(t.metric, 0x04030201);
		cr_expect_eq(t.implied, route_rows[i].implied, "row %zu", i);
		cr_expect_eq(t.connected, route_rows[i].rtm.rtm_protocol == RTPROT_KERNEL);
		cr_expect_eq(t.bits, route_rows[i].rtm.rtm_dst_len);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/netlink/netns.h"
#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/tap.h"
#include "tests/support/rtnl_rig.h"

TestSuite(rtnl, .init = rtnl_rig_begin);

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

Test(rtnl, invalid_names)
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

/* SPDX-License-Identifier: BSD-3-Clause */
/* Modes set up and undone; what belongs to others stays */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/netlink/nft.h"
#include "tests/support/net_modes.h"

TestSuite(net_setup, .init = net_modes_own_network);

static bool has_table(const char *name, const char *link)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	int rc;

	cr_assert_eq(nl_open(&nl, NETLINK_NETFILTER, &err), 0, "%s", err.msg);
	rc = nft_table_del(&nl, name, link, &err);
	cr_assert(rc == 0 || rc == -ENOENT, "%s", err.msg);
	return rc == 0;
}

Test(net_setup, private_carries_frames_and_goes)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap;

	p.masquerade = true;
	make(&p, &record, &tap);
	cr_expect(exists(record.host_link));
	cr_expect_not(exists(record.tap), "it is in another namespace");
	cr_expect(host_answers(tap.fd[0], record.mac, record.guest.addr, record.host.addr));
	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
	cr_expect_not(exists(record.host_link));
	cr_expect_not(has_table(record.table, record.host_link));
	cr_expect_eq(net_undo(&record, &err), 0, "once more, with nothing left: %s", err.msg);
	tap_close(&tap);
}

Test(net_setup, private_goes_with_its_fd)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap;

	make(&p, &record, &tap);
	tap_close(&tap);
	for (unsigned int n = 0; n < 1000 && exists(record.host_link); n++)
		usleep(10000);
	cr_expect_not(exists(record.host_link));
	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
}

Test(net_setup, a_failure_leaves_nothing)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap = {.nr = 0};

	up("lo", "10.9.8.1/24");
	p.host = addr("10.9.8.77/24");
	p.masquerade = true;
	cr_assert_eq(net_plan(&p, "vm", "net0", &record, &err), 0, "%s", err.msg);
	cr_expect_eq(net_setup(&p, &record, &tap, &err), -EADDRINUSE, "%s", err.msg);
	cr_expect(strstr(err.msg, "/vm/devices/0: "), "%s", err.msg);
	cr_expect_eq(tap.nr, 0);
	cr_expect_not(exists(record.host_link));
	cr_expect_not(has_table("vmrun_vm", record.host_link));
}

/* What another made under the name that was planned, between plan and set-up, stays. */
Test(net_setup, anothers_table_stays)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap = {.nr = 0};
	char table[NET_TABLE_MAX + 16];

	p.masquerade = true;
	cr_assert_eq(net_plan(&p, "vm", "net0", &record, &err), 0, "%s", err.msg);
	strcpy(table, record.table);
	{
		cleanup_nl struct nl nl = NL_CLOSED;

		cr_assert_eq(nl_open(&nl, NETLINK_NETFILTER, &err), 0, "%s", err.msg);
		cr_assert_eq(nft_private_add(&nl, table, &(struct nft_private){.link = "lo"}, &err),
			     0, "%s", err.msg);
	}
	cr_expect_eq(net_setup(&p, &record, &tap, &err), -EEXIST, "%s", err.msg);
	cr_expect_not(exists(record.host_link));
	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
	cr_expect(has_table(table, "lo"));
}

/* Of two state directories */
Test(net_setup, two_vms_with_one_id)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record[2];
	struct tap tap[2];

	p.masquerade = true;
	make(&p, &record[0], &tap[0]);
	make(&p, &record[1], &tap[1]);
	cr_expect(net_is_ours(&record[0], "vm") && net_is_ours(&record[1], "vm"));
	cr_expect_neq(record[0].host.addr, record[1].host.addr);
	cr_expect_eq(net_undo(&record[1], &err), 0, "%s", err.msg);
	tap_close(&tap[1]);
	cr_expect(exists(record[0].host_link) && !exists(record[1].host_link));
	cr_expect_not(has_table(record[1].table, record[1].host_link));
	cr_expect(has_table(record[0].table, record[0].host_link));
	tap_close(&tap[0]);
}

Test(net_setup, anothers_veth_stays)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap = {.nr = 0};
	char link[16];

	cr_assert_eq(net_plan(&p, "vm", "net0", &record, &err), 0, "%s", err.msg);
	memcpy(link, record.host_link, sizeof(link));
	{
		cleanup_nl struct nl nl = NL_CLOSED;

		cr_assert_eq(nl_open(&nl, NETLINK_ROUTE, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_veth_add(&nl, link, "far", -1, &err), 0, "%s", err.msg);
	}
	cr_expect_eq(net_setup(&p, &record, &tap, &err), -EEXIST, "%s", err.msg);
	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
	cr_expect(exists(link));
}

Test(net_setup, anothers_macvtap_stays)
{
	struct plan_net p = plan(NET_MODE_MACVTAP);
	struct net_record record;
	struct tap tap = {.nr = 0};
	char name[16];

	strcpy(p.parent, "parent");
	cr_assert_eq(net_plan(&p, "vm", "net0", &record, &err), 0, "%s", err.msg);
	memcpy(name, record.tap, sizeof(name));
	{
		cleanup_nl struct nl nl = NL_CLOSED;
		struct rtnl_link parent;

		cr_assert_eq(nl_open(&nl, NETLINK_ROUTE, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_veth_add(&nl, p.parent, "far", -1, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_link_get(&nl, p.parent, &parent, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_macvtap_add(&nl, name, parent.index, record.mac, &err), 0, "%s",
			     err.msg);
	}
	cr_expect_eq(net_setup(&p, &record, &tap, &err), -EEXIST, "%s", err.msg);
	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
	cr_expect(exists(name), "it has the same MAC, as one of this VM's would have");
}

Test(net_setup, tap_has_the_hosts_address)
{
	struct plan_net p = plan(NET_MODE_TAP);
	struct net_record record;
	struct tap tap;

	p.host = addr("10.9.8.1/24");
	p.mtu = 1400;
	make(&p, &record, &tap);
	cr_expect_eq(record.mtu, 1400);
	cr_expect_eq(record.gateway, p.host.addr);
	cr_expect(host_answers(tap.fd[0], record.mac, record.guest.addr, record.host.addr));
	tap_close(&tap);
	cr_expect_not(exists(record.tap));
}

Test(net_setup, several_queues)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap;

	p.queue_pairs = 3;
	make(&p, &record, &tap);
	cr_expect_eq(tap.nr, 3);
	tap_close(&tap);
	cr_expect_eq(net_undo(&record, &err), 0);
}

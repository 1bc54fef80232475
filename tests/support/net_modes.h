/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network modes for real, in a network namespace of the test's own
 *
 * A suite has net_modes_own_network() as its .init; where it may not make a namespace, its tests are skipped.
 */
#ifndef VMRUN_TESTS_SUPPORT_NET_MODES_H
#define VMRUN_TESTS_SUPPORT_NET_MODES_H

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "runtime/net/host.h"
#include "runtime/net/net.h"
#include "tests/support/addr_text.h"
#include "tests/support/tap_guest.h"

static struct err err;

static inline void net_modes_own_network(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs root and /dev/net/tun");
}

static inline bool exists(const char *name)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;
	int rc;

	cr_assert_eq(nl_open(&nl, NETLINK_ROUTE, &err), 0, "%s", err.msg);
	rc = rtnl_link_get(&nl, name, &link, &err);
	cr_assert(rc == 0 || rc == -ENODEV, "%s", err.msg);
	return rc == 0;
}

static inline void up(const char *name, const char *address)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;

	cr_assert_eq(nl_open(&nl, NETLINK_ROUTE, &err), 0, "%s", err.msg);
	cr_assert_eq(rtnl_link_get(&nl, name, &link, &err), 0, "%s", err.msg);
	if (address)
		cr_assert_eq(rtnl_addr_add(&nl, link.index, addr(address), &err), 0, "%s", err.msg);
	cr_assert_eq(net_up(&nl, link.index, 0, 0, &err), 0, "%s", err.msg);
}

/* As the guest would: who has @host? */
static inline bool host_answers(int tap, const uint8_t mac[6], uint32_t guest, uint32_t host)
{
	struct tap_guest g = {.fd = tap, .addr = guest};

	memcpy(g.mac, mac, sizeof(g.mac));
	return tap_guest_meets(&g, host);
}

static inline struct plan_net plan(enum net_mode mode)
{
	return (struct plan_net){
		.mode = mode, .queue_pairs = 1, .fd = -1, .pointer = (char *)"/vm/devices/0"};
}

static inline void make(const struct plan_net *p, struct net_record *record, struct tap *tap)
{
	int rc = net_plan(p, "vm", "net0", record, &err);

	cr_assert_eq(rc, 0, "%s", err.msg);
	rc = net_setup(p, record, tap, &err);
	cr_assert_eq(rc, 0, "%s", err.msg);
}

#endif

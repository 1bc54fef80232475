/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Links for tests of rtnetlink, in a network namespace of the test's own
 *
 * A suite has rtnl_rig_begin() as its .init.
 */
#ifndef VMRUN_TESTS_SUPPORT_RTNL_RIG_H
#define VMRUN_TESTS_SUPPORT_RTNL_RIG_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "runtime/netlink/rtnl.h"
#include "tests/support/private_net.h"

static struct nl nl;
static struct err err;

static inline void rtnl_rig_begin(void)
{
	private_net_open(&nl);
}

static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

static inline bool in_proc_net_dev(const char *name)
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

static inline struct rtnl_link veth(const char *name, const char *peer)
{
	struct rtnl_link l;

	ok(rtnl_veth_add(&nl, name, peer, -1, &err));
	ok(rtnl_link_get(&nl, name, &l, &err));
	return l;
}

static inline struct rtnl_change change(void)
{
	return (struct rtnl_change){.netns_fd = -1};
}

static inline void bring_up(int index)
{
	struct rtnl_change c = change();

	c.up = true;
	ok(rtnl_link_change(&nl, index, &c, &err));
}

#endif

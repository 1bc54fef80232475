/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A host of its own for a test that needs a network
 *
 * The calling thread gets a network namespace with nothing but a loopback interface, and a /sys that
 * shows it. That takes root: a user namespace is no way out, as criterion's processes have threads.
 * There is no way back: criterion runs each test in a process of its own.
 */
#ifndef VMRUN_TESTS_SUPPORT_PRIVATE_NET_H
#define VMRUN_TESTS_SUPPORT_PRIVATE_NET_H

#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "runtime/netlink/nl.h"
#include "runtime/plan/plan.h"

/** ok() - Make a call that has to succeed; it explains itself in the test's own `err` */
#define ok(call)                                                                                   \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		cr_assert_eq(r_, 0, "%s: %d %s", #call, r_, err.msg);                              \
	} while (0)

/** private_net() - Enter one; false where that is not allowed */
bool private_net(void);

/** private_net_or_skip() - Enter one, or skip the test */
static inline void private_net_or_skip(void)
{
	if (!private_net())
		cr_skip_test("network namespaces need root");
}

/** private_net_open() - The same, with a socket to ask for its interfaces */
static inline void private_net_open(struct nl *nl)
{
	struct err err;

	private_net_or_skip();
	ok(nl_open(nl, NETLINK_ROUTE, &err));
}

/** net() - An address and its prefix */
static inline struct net_addr net(const char *text, uint8_t bits)
{
	struct net_addr a = {.bits = bits};

	cr_assert_eq(inet_pton(AF_INET, text, &a.addr), 1);
	return a;
}

#endif

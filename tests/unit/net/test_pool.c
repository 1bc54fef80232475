/* SPDX-License-Identifier: BSD-3-Clause */
/* Which network a private device gets, and when it gets none */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/net_modes.h"

TestSuite(net_pool, .init = net_modes_own_network);

/* The first network that the VM "vm" would have of a pool of four */
static struct net_addr first_of(struct net_addr pool)
{
	return net_name_host(pool, "vm", "net0");
}

static void PRINTF(1, 2) run(const char *format, ...)
{
	char command[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	cr_assert_eq(system(command), 0, "%s", command);
}

Test(net_pool, taken_networks_are_avoided)
{
	/* By an address, and by routes: of a table that rules ask first, to nowhere, to one address */
	static const char *const takers[] = {
		"ip addr add $NET dev lo",
		"ip route add local $NET dev lo table 52",
		"ip route add blackhole $NET table 1000",
		"true",
	};
	struct plan_net p = plan(NET_MODE_PRIVATE);
	char text[ADDR_TEXT_BYTES];

	p.pool = addr("10.123.0.0/28");
	up("lo", NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(takers); i++) {
		struct net_addr first = first_of(p.pool);
		const bool takes = i < 3;
		struct net_record record;
		struct tap tap;

		first.addr &= addr_netmask(30);
		addr_put(first, text);
		setenv("NET", text, 1);
		run("%s", takers[i]);
		make(&p, &record, &tap);
		cr_expect_eq(record.host.addr == first_of(p.pool).addr, !takes, "%s", takers[i]);
		cr_expect_eq(record.guest.addr, addr_next(record.host).addr);
		cr_expect_eq(record.gateway, record.host.addr);
		cr_expect_eq(net_undo(&record, &err), 0);
		tap_close(&tap);
		(void)!system("(ip addr flush dev lo; ip route flush table 52; ip route flush "
			      "table 1000) 2>/dev/null");
	}
}

Test(net_pool, a_full_pool_names_what_is_in_the_way)
{
	static const struct {
		const char *taker, *msg;
	} cases[] = {
		/* as a VPN of that kind has it */
		{"ip route add 100.64.0.0/10 dev lo table 52",
		 "(a route to 100.64.0.0/10, table 52 is in the way)"},
		{"ip addr add 100.64.1.2/10 dev lo",
		 "(the network of an interface, 100.64.0.0/10 is in the way)"},
	};
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record;
	struct tap tap = {.nr = 0};

	up("lo", NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		run("%s", cases[i].taker);
		cr_assert_eq(net_plan(&p, "vm", "net0", &record, &err), 0);
		cr_expect_eq(net_setup(&p, &record, &tap, &err), -EADDRINUSE);
		cr_expect(strstr(err.msg, cases[i].msg), "%s", err.msg);
		cr_expect(strstr(err.msg, "/vm/devices/0: ") && strstr(err.msg, "another pool"));
		cr_expect_not(exists(record.host_link));
		p.pool = addr("10.123.0.0/16");
		make(&p, &record, &tap);
		cr_expect_eq(record.host.addr, first_of(p.pool).addr);
		cr_expect_eq(net_undo(&record, &err), 0);
		tap_close(&tap);
		p.pool.bits = 0;
		(void)!system("(ip addr flush dev lo; ip route flush table 52) 2>/dev/null");
	}
	run("ip route add 0.0.0.0/1 dev lo && ip route add 64.0.0.0/2 dev %s", "lo");
	make(&p, &record, &tap);
	tap_close(&tap);
}

/* As many at a time as the pool has networks: each its own, and one more finds none */
Test(net_pool, two_at_a_time_get_two_networks)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_record record[5];
	struct tap tap[5];
	char id[8];

	p.pool = addr("10.123.0.0/28");
	/* All have planned before the first sets up, and none has an address yet when the next looks. */
	for (unsigned int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "vm%u", i);
		cr_assert_eq(net_plan(&p, id, "net0", &record[i], &err), 0, "%s", err.msg);
		record[i].host = record[0].host;
	}
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_eq(net_setup(&p, &record[i], &tap[i], &err), 0, "%s", err.msg);
		run("ip addr flush dev %s", record[i].host_link);
		for (unsigned int k = 0; k < i; k++)
			cr_expect_neq(record[i].host.addr, record[k].host.addr);
	}
	cr_expect_eq(net_setup(&p, &record[4], &tap[4], &err), -EADDRINUSE, "%s", err.msg);
	p.host = record[0].host;
	cr_assert_eq(net_plan(&p, "vm9", "net0", &record[4], &err), 0, "%s", err.msg);
	cr_expect_eq(net_setup(&p, &record[4], &tap[4], &err), -EADDRINUSE, "%s", err.msg);
	cr_expect(strstr(err.msg, "another VM is in that network"), "%s", err.msg);
	for (unsigned int i = 0; i < 4; i++) {
		cr_expect_eq(net_undo(&record[i], &err), 0);
		tap_close(&tap[i]);
	}
}

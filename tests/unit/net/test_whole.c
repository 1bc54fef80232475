/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the guest of a container has of a namespace, through its description and the init that applies it
 *
 * The pod is a namespace with eth0 and eth1, the box another one, whose interfaces stand for the guest's devices. What
 * ip(8) shows of both is compared.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/vmrun-init/links.h"
#include "runtime/net/net.h"
#include "tests/support/private_net.h"

#define DEVICES 3

static struct err err;
static char warned[1024];

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void begin(void)
{
	private_net_or_skip();
	run("mount -t tmpfs none /run && mkdir /run/netns\n"
	    "for ns in pod box; do ip netns add $ns; for n in 0 1; do\n"
	    "ip link add $ns$n type veth peer name e$n netns $ns && ip link set $ns$n up; done\n"
	    "ip netns exec $ns sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad\n"
	    "for n in lo e0 e1; do echo 0 >/proc/sys/net/ipv6/conf/$n/accept_dad; done'; done\n"
	    "for n in 0 1; do ip -n pod link set e$n name eth$n address 02:00:00:00:00:1$n up\n"
	    "ip -n box link set e$n address 02:00:00:00:00:1$n; done; ip -n pod link set lo up\n"
	    /* which the kernel makes when it likes */
	    "n=0; until [ $(ip -n pod -6 route | grep -c ^fe80) = 2 ] || ! [ -e /proc/net/if_inet6 "
	    "]\n"
	    "do sleep 0.02; n=$((n + 1)); [ $n -lt 500 ]; done");
}

TestSuite(net_whole, .init = begin);

static void hear(void *arg UNUSED, const char *text)
{
	strncat(warned, text, sizeof(warned) - strlen(warned) - 1);
}

/* Look, as at start, and describe */
static int describe(struct spec_items *to)
{
	static struct net_record record[DEVICES];
	const struct warn_to warn = {hear, NULL};
	struct plan_net p = {.mode = NET_MODE_NETNS,
			     .queue_pairs = 1,
			     .fd = -1,
			     .alone = true,
			     .netns_path = (char *)"/run/netns/pod",
			     .pointer = (char *)"/vm/devices/0"};
	unsigned int nr = 0;
	struct netns_id id;
	int rc = 0;

	nr = net_count(p.netns_path, true, &nr, &id, &err) < 0 ? 1 : nr < DEVICES ? nr : DEVICES;
	for (unsigned int i = 0; i < nr; i++)
		ok(net_plan(&p, "vm",
			    i == 0   ? "net0"
			    : i == 1 ? "net1"
				     : "net2",
			    &record[i], &err));
	for (unsigned int i = 0; rc >= 0 && i < nr; i++)
		rc = net_look(record, nr, i, &err);
	for (unsigned int i = 0; rc >= 0 && i < nr; i++)
		rc = net_warn_left(record, nr, i, &warn, &err);
	return rc < 0 ? rc : net_describe(record, nr, to, &err);
}

static void apply(const struct spec_items *items)
{
	int old, fd, rc = 0;
	struct fault f;
	struct desc d;

	ok(spec_items_check(items, &err));
	ok(desc_parse(items->bytes, items->len, &d));
	ok(netns_open("/run/netns/box", &fd, &err));
	ok(netns_enter(fd, &old, &err));
	rc = links_apply(&d, &f);
	netns_leave(old);
	close(fd);
	cr_assert_eq(rc, 0, "item %u: %s", f.index, strerror(-rc));
	desc_done(&d);
}

/* What ip(8) shows, without numbers of interfaces and of queues, and whether an address had to be asked for */
static char *shows(const char *ns)
{
	static char both[2][16384];
	static unsigned int turn;
	char command[1024], *text = both[turn++ % 2];
	FILE *f;

	snprintf(command, sizeof(command),
		 "i='ip -n %s'; { $i -o link | sed 's/@[^:]*:/:/; s/ qdisc.*link/ link/; s/ "
		 "link-netns.*//'\n"
		 "$i -o addr; } | sed 's/^[0-9]*: //; s/\\\\.*//; s/,NO-CARRIER\\|NO-CARRIER,//; "
		 "s/ nodad//' | sort\n"
		 "echo routes; $i route; $i -6 route | sort; $i neigh show nud permanent | sort; "
		 "$i rule",
		 ns);
	f = popen(command, "re");
	cr_assert(f);
	text[fread(text, 1, sizeof(both[0]) - 1, f)] = '\0';
	pclose(f);
	return text;
}

/* @setup: "ip -n pod" commands, a line each */
static void set_up(const char *setup)
{
	char text[4096];

	snprintf(text, sizeof(text), "ip -n pod -batch - <<'END'\n%s\nEND", setup);
	run(text);
}

static void same(const char *setup)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	set_up(setup);
	cr_assert_eq(describe(&items), 0, "%s", err.msg);
	apply(&items);
	cr_expect_str_eq(shows("box"), shows("pod"));
	cr_expect_str_eq(warned, "");
}

Test(net_whole, as_it_is)
{
	same("link set eth0 mtu 1400");
}

Test(net_whole, addresses)
{
	same("addr add 10.1.0.2/24 dev eth0\n" /* without broadcast */
	     "addr add 10.1.0.3/24 brd + dev eth0\n"
	     "addr add 10.2.0.2/24 brd 10.2.0.77 dev eth1 metric 300\n"
	     "addr add 10.3.0.2/32 dev eth1\n"
	     "addr add 10.4.0.2/16 dev eth1 noprefixroute\n"
	     "addr add 10.5.0.2/24 dev eth1 label eth1:web\n"
	     "addr add 169.254.7.7/16 dev eth0 scope link\n"
	     "addr add 10.6.0.2 peer 10.6.0.1/32 dev eth0\n"
	     "addr add 10.7.7.2 peer 10.7.0.1/24 dev eth0\n"
	     "addr add 10.99.0.1/32 dev lo\n"
	     "addr add fd99::1/128 dev lo nodad\n"
	     "addr add fd00:1::2/64 dev eth0 nodad\n"
	     "addr add fd00:1::3/64 dev eth0 nodad\n"
	     "addr add fd00:2::2/128 dev eth1 nodad\n"
	     "addr add fd00:3::2/64 dev eth1 noprefixroute nodad");
}

Test(net_whole, routes)
{
	same("addr add 10.1.0.2/24 dev eth0\n"
	     "addr add 10.2.0.2/32 dev eth1\n"
	     "addr add fd00:1::2/64 dev eth0 nodad\n"
	     "route add default via 10.1.0.1 metric 100\n"
	     "route add default via 10.2.0.1 dev eth1 onlink metric 200\n"
	     "route add 10.3.0.0/16 via 10.1.0.254 proto static src 10.1.0.2 mtu 1200 advmss 1100\n"
	     "route add 10.4.0.0/16 dev eth1 scope link\n"
	     "route add 10.5.0.0/16 dev eth1 scope global\n"
	     "route add 10.6.0.0/16 via 10.1.0.254 metric 5\n"
	     "route append 10.6.0.0/16 via 10.1.0.253 metric 5\n"
	     "route add 10.7.7.7 dev lo\n"
	     "route add fd00:3::/48 via fd00:1::fe metric 7\n"
	     "route add fd00:4::/48 via fe80::9 dev eth1 onlink mtu 1300\n"
	     "route add default via fe80::1 dev eth1 metric 300\n"
	     "route add ::/0 via fd00:1::1 metric 400");
}

Test(net_whole, neighbours)
{
	same("addr add 10.1.0.2/24 dev eth0\n"
	     "neigh add 10.1.0.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent\n"
	     "neigh add fd00:1::9 lladdr 02:00:00:00:00:98 dev eth1 nud permanent\n"
	     "neigh add 10.1.0.10 lladdr 02:00:00:00:00:97 dev eth0 nud stale");
}

Test(net_whole, a_link_that_is_down)
{
	same("addr add 10.1.0.2/24 dev eth0\n"
	     "link set eth0 down\n"
	     "link set eth1 down name bare arp off");
}

Test(net_whole, a_loopback_that_is_down)
{
	same("link set eth1 name net.1-x\n"
	     "link set lo down");
}

Test(net_whole, without_ipv6)
{
	run("for n in 0 1; do ip netns exec pod sh -c \"echo 1 "
	    ">/proc/sys/net/ipv6/conf/eth$n/disable_ipv6\"\ndone");
	same("addr add 10.1.0.2/24 dev eth0\n"
	     "route add default via 10.1.0.1");
}

/* A route stays when the route to its gateway goes; the guest says of it that the gateway is on the link. */
Test(net_whole, a_gateway_that_no_route_leads_to)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	set_up("addr add 10.1.0.2/32 dev eth0\n"
	       "route add 10.1.0.1 dev eth0\n"
	       "route add default via 10.1.0.1\n"
	       "route del 10.1.0.1 dev eth0");
	cr_assert_eq(describe(&items), 0, "%s", err.msg);
	apply(&items);
	cr_expect(strstr(shows("box"), "\ndefault via 10.1.0.1 dev eth0 onlink"), "%s",
		  shows("box"));
}

/* The routes are the same; the address says why there is none for it. */
Test(net_whole, a_route_that_a_plug_in_took)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	set_up("addr add 10.9.0.2/24 dev eth0\n"
	       "route del 10.9.0.0/24 dev eth0\n"
	       "route add 10.9.0.1 dev eth0 scope link src 10.9.0.2\n"
	       "route add 10.9.0.0/24 via 10.9.0.1 src 10.9.0.2\n"
	       "route add default via 10.9.0.1\n"
	       "addr add fd09::2/64 dev eth0 nodad\n"
	       "route del fd09::/64 dev eth0\n"
	       "route add fd09::1 dev eth0\n"
	       "route add fd09::/64 via fd09::1");
	cr_assert_eq(describe(&items), 0, "%s", err.msg);
	apply(&items);
	cr_expect_str_eq(strstr(shows("box"), "\nroutes"), strstr(shows("pod"), "\nroutes"));
	cr_expect(strstr(shows("box"), "10.9.0.2/24 scope global noprefixroute"));
}

/* As ipvlan's are; macvlan's are not */
Test(net_whole, two_interfaces_of_one_mac)
{
	run("ip -n box link set e1 address 02:00:00:00:00:10");
	same("link set eth1 down\n"
	     "link set eth1 address 02:00:00:00:00:10 mtu 1300 up\n"
	     "addr add 10.1.0.2/24 dev eth0\n"
	     "addr add 10.2.0.2/24 dev eth1");
}

Test(net_whole, what_cannot_be_described_is_said_once)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	set_up("addr add 10.1.0.2/24 dev eth0\n"
	       "route add 10.7.0.0/16 via 10.1.0.1 table 77\n"
	       "route add blackhole 10.8.0.0/16\n"
	       "route add 10.9.0.0/16 nexthop via 10.1.0.1 nexthop via 10.1.0.3\n"
	       "rule add from 10.1.0.2 table 77");
	cr_assert_eq(describe(&items), 0, "%s", err.msg);
	cr_expect_str_eq(
		warned,
		"the guest lacks 3 routes and 1 rules of network namespace /run/netns/pod: it "
		"has the main table, without multipath, types, sources and encapsulation");
}

/* slirp4netns gives a user's container a TAP with an address; a TAP of a VM has none. */
Test(net_whole, a_tap_counts_by_its_address)
{
	unsigned int nr[2];
	struct netns_id id;

	set_up("tuntap add tap0 mode tap\nlink set tap0 up");
	ok(net_count("/run/netns/pod", true, &nr[0], &id, &err));
	set_up("addr add 10.0.2.100/24 dev tap0");
	ok(net_count("/run/netns/pod", true, &nr[1], &id, &err));
	cr_expect(nr[0] == 2 && nr[1] == 3, "%u, then %u", nr[0], nr[1]);
}

Test(net_whole, interfaces_beyond_the_devices)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	run("for n in 2 3 4; do ip link add far$n type veth peer name eth$n netns pod; done");
	cr_assert_eq(describe(&items), 0, "%s", err.msg);
	cr_expect_str_eq(
		warned,
		"the guest lacks 2 of the interfaces of network namespace /run/netns/pod, the "
		"first is eth3: no Ethernet, or made after create, or there is no device left");
}

Test(net_whole, more_than_the_limit)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	run("for n in $(seq 300); do echo addr add 10.$((n / 250)).$((n % 250)).1/32 dev eth0; "
	    "done |\n"
	    "ip -n pod -batch -");
	cr_expect_eq(describe(&items), -E2BIG);
	cr_expect_str_eq(err.msg, "net0: list addresses: there are more than 64");
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Pods of network plug-ins, and their guests: both send to every place by the same way
 *
 * The pod is a namespace with eth0 and eth1, the guest another one, in which the example's init reads
 * the command line that the guest would get. Then both kernels are asked the same questions.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/net/net.h"
#include "tests/support/private_net.h"

#define DEVICES 2

static struct err err;

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void begin(void)
{
	private_net_or_skip();
	if (access("/dev/net/tun", R_OK | W_OK) < 0 || system("busybox ip link >/dev/null 2>&1"))
		cr_skip_test("needs /dev/net/tun and busybox");
	run("mount -t tmpfs none /run && mkdir /run/netns /run/bin\n"
	    "for a in ip arp; do ln -s \"$(command -v busybox)\" /run/bin/$a; done\n"
	    "sed -n '/^ip_word()/,/^set +f/p' bundle-examples/debian/start |"
	    " sed 's|/proc/cmdline|/run/cmdline|' >/run/start && [ -s /run/start ]\n"
	    "for ns in pod guest; do ip netns add $ns && ip -n $ns link set lo up\n"
	    "for n in 0 1; do ip link add $ns$n type veth peer name eth$n netns $ns\n"
	    "ip link set $ns$n up; done\n"
	    "ip netns exec $ns sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad\n"
	    "for n in 0 1; do echo 0 >/proc/sys/net/ipv6/conf/eth$n/accept_dad; done'\n"
	    "done; for n in 0 1; do ip -n pod link set eth$n up; done");
}

TestSuite(net_pods, .init = begin);

/* What a guest learns of the pod as it is now; *ret_said: its command line */
static void tell(char ret_said[BOOT_CMDLINE_MAX])
{
	static struct net_record record[DEVICES];
	struct plan_net p = {.mode = NET_MODE_NETNS,
			     .queue_pairs = 1,
			     .fd = -1,
			     .netns_path = (char *)"/run/netns/pod",
			     .pointer = (char *)"/vm/devices/0"};
	const struct net_guest guest = {.hostname = "web"};
	FILE *f;

	for (unsigned int i = 0; i < DEVICES; i++)
		ok(net_plan(&p, "vm", i ? "net1" : "net0", &record[i], &err));
	for (unsigned int i = 0; i < DEVICES; i++)
		cr_assert_geq(net_look(record, DEVICES, i, &err), 0, "%s", err.msg);
	ok(net_cmdline(record, DEVICES, &guest, ret_said, &err));
	f = fopen("/run/cmdline", "we");
	cr_assert(f && fprintf(f, "quiet %s\n", ret_said) > 0 && fclose(f) == 0);
}

/* The way from a namespace to @to: gateway and interface, or none */
static void way(const char *ns, const char *to, char ret[128])
{
	char command[256];
	FILE *f;

	snprintf(
		command, sizeof(command),
		"ip -n %s route get %s 2>&1 | head -n 1 | sed 's/ src .*//; s/ from ::.*dev/ dev/; "
		"s/ proto [a-z]*//; s/ metric.*//; s/ uid .*//; s/.*RTNETLINK.*/none/'",
		ns, to);
	f = popen(command, "re");
	cr_assert(f && fgets(ret, 128, f));
	pclose(f);
	ret[strcspn(ret, "\n")] = '\0';
	while (*ret && ret[strlen(ret) - 1] == ' ')
		ret[strlen(ret) - 1] = '\0';
}

/* @setup: "ip -n pod" commands, a line each; @to: places, with blanks between */
static void same(const char *setup, const char *to)
{
	char said[BOOT_CMDLINE_MAX], text[2048], pod[128], guest[128], *place, *rest = NULL;

	snprintf(text, sizeof(text), "ip -n pod -batch - <<'END'\n%s\nEND", setup);
	run(text);
	tell(said);
	run("ip netns exec guest env PATH=/run/bin:\"$PATH\" sh -e /run/start >/run/out 2>&1 || "
	    "{ cat /run/cmdline /run/out; false; }");
	snprintf(text, sizeof(text), "%s", to);
	for (place = strtok_r(text, " ", &rest); place; place = strtok_r(NULL, " ", &rest)) {
		way("pod", place, pod);
		way("guest", place, guest);
		cr_expect_str_eq(guest, pod, "to %s, with %s", place, said);
	}
}

Test(net_pods, with_a_network)
{
	same("addr add 10.9.0.2/24 dev eth0\n"
	     "route add default via 10.9.0.1",
	     "10.9.0.7 10.9.0.1 8.8.8.8");
}

Test(net_pods, of_ptp)
{
	same("addr add 10.9.0.2/24 dev eth0\n"
	     "route del 10.9.0.0/24 dev eth0\n"
	     "route add 10.9.0.1 dev eth0 scope link src 10.9.0.2\n"
	     "route add 10.9.0.0/24 via 10.9.0.1 src 10.9.0.2\n"
	     "route add default via 10.9.0.1",
	     "10.9.0.7 10.9.0.1 8.8.8.8");
}

Test(net_pods, of_ptp_with_ipv6)
{
	same("addr add fd09::2/64 dev eth0\n"
	     "route del fd09::/64 dev eth0\n"
	     "route add fd09::1 dev eth0\n"
	     "route add fd09::/64 via fd09::1\n"
	     "route add ::/0 via fd09::1",
	     "fd09::7 fd09::1 2001:db8::1");
}

Test(net_pods, of_calico)
{
	same("addr add 192.168.7.5/32 dev eth0\n"
	     "route add 169.254.1.1 dev eth0 scope link\n"
	     "route add default via 169.254.1.1 dev eth0\n"
	     "addr add fd07::5/128 dev eth0\n"
	     "route add ::/0 via fe80::ecee:eeff:feee:eeee dev eth0",
	     "8.8.8.8 169.254.1.1 192.168.7.6 2001:db8::1 fd07::6");
}

Test(net_pods, without_a_route_to_the_prefix)
{
	same("addr add 10.9.0.2/24 dev eth0 noprefixroute\n"
	     "route add 10.9.0.1 dev eth0 scope link\n"
	     "route add default via 10.9.0.1\n"
	     "addr add fd09::2/64 dev eth0 noprefixroute\n"
	     "route add fd09::1 dev eth0\n"
	     "route add ::/0 via fd09::1",
	     "10.9.0.7 10.9.0.1 8.8.8.8 fd09::7 fd09::1 2001:db8::1");
}

Test(net_pods, whose_prefix_routes_another_made)
{
	same("addr add 10.9.0.2/24 dev eth0 noprefixroute\n"
	     "route add 10.9.0.0/24 dev eth0 metric 100\n"
	     "route add default via 10.9.0.1 metric 100\n"
	     "route add default via 10.9.0.3 metric 50",
	     "10.9.0.7 10.9.0.1 8.8.8.8");
}

Test(net_pods, with_a_peer)
{
	/* The kernel adds that route when it likes. */
	run("ip -n pod addr add fd09::2 peer fd09::1/128 dev eth0\n"
	    "n=0; until ip -n pod -6 route | grep -q fd09::1; do sleep 0.02; n=$((n + 1))\n"
	    "[ $n -lt 500 ]; done");
	same("addr add 10.9.0.2 peer 10.9.0.1/32 dev eth0\n"
	     "route add default via 10.9.0.1",
	     "10.9.0.1 10.9.0.7 8.8.8.8 fd09::1 fd09::7");
}

Test(net_pods, with_a_network_of_peers)
{
	same("addr add 10.9.7.2 peer 10.9.0.1/24 dev eth0\n"
	     "route add default via 10.9.0.1",
	     "10.9.0.1 10.9.0.9 10.9.7.1 10.9.1.9 8.8.8.8");
}

Test(net_pods, with_gateways_that_are_on_the_link_only_by_word)
{
	same("addr add 10.9.0.2/24 dev eth0\n"
	     "route add default via 10.9.0.1 dev eth0 onlink\n"
	     "route add 10.88.0.0/16 via 10.99.0.1 dev eth0 onlink\n"
	     "route add fd88::/64 via fe80::1 dev eth0 onlink",
	     "10.9.0.7 8.8.8.8 10.88.1.1 fd88::1");
}

Test(net_pods, with_two_interfaces_in_one_network)
{
	same("addr add 10.9.0.3/24 dev eth1\n"
	     "addr add 10.9.0.2/24 dev eth0\n"
	     "route add default via 10.9.0.1 dev eth0\n"
	     "route add default via 10.9.0.1 dev eth1 metric 7",
	     "10.9.0.7 8.8.8.8");
}

Test(net_pods, with_a_route_before_the_prefix_route)
{
	same("addr add 10.9.0.2/24 dev eth0 metric 300\n"
	     "route add 10.9.0.1 dev eth0\n"
	     "route add 10.9.0.0/24 via 10.9.0.1 metric 20",
	     "10.9.0.7 10.9.0.1");
}

Test(net_pods, with_a_route_behind_the_prefix_route)
{
	same("addr add 10.9.0.2/24 dev eth0\n"
	     "route add 10.9.0.0/24 via 10.9.0.1 metric 20",
	     "10.9.0.7 10.9.0.1");
}

/* As two devices of modes other than netns */
Test(net_pods, the_first_gateway_is_the_default)
{
	char got[128];

	run("echo ip=10.9.0.2::10.9.0.1:255.255.255.0:web:eth0:off "
	    "ip=10.8.0.2::10.8.0.1:255.255.255.0:web:eth1:off rd.route=0.0.0.0/0:10.8.0.1:eth1 "
	    ">/run/cmdline && ip netns exec guest env PATH=/run/bin:\"$PATH\" sh -e /run/start");
	way("guest", "8.8.8.8", got);
	cr_expect_str_eq(got, "8.8.8.8 via 10.9.0.1 dev eth0");
}

Test(net_pods, with_addresses_beside)
{
	same("addr add 10.9.0.2/24 dev eth0\n"
	     "addr add 10.9.0.3/24 dev eth0\n"
	     "addr add 10.8.0.3/16 dev eth0 noprefixroute\n"
	     "addr add 10.7.0.3/16 dev eth0 valid_lft 3600 preferred_lft 0\n"
	     "route add 10.6.0.0/16 via 10.9.0.9 tos 0x10\n"
	     "route add default via 10.9.0.1",
	     "10.9.0.7 10.8.0.7 10.7.0.7 10.6.0.7 8.8.8.8");
}

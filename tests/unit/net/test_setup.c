/* SPDX-License-Identifier: BSD-3-Clause */
/* The modes for real, in network namespaces of the test's own: skipped where those cannot be made. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "runtime/net/net.h"
#include "runtime/net/priv.h"
#include "runtime/netlink/nft.h"
#include "runtime/util/addr.h"
#include "tests/support/tap_guest.h"

static struct err err;

static void own_network(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs root and /dev/net/tun");
}

TestSuite(net_setup, .init = own_network);

static struct net_addr addr(const char *text)
{
	struct net_addr a;

	cr_assert_eq(addr_parse(text, &a), 0);
	return a;
}

static struct nl *open_nl(void)
{
	struct nl *nl = net_nl(NETLINK_ROUTE, &err);

	cr_assert(nl, "%s", err.msg);
	return nl;
}

static bool exists(const char *name)
{
	cleanup_nl struct nl *nl = open_nl();
	struct rtnl_link link;
	int r = rtnl_link_get(nl, name, &link, &err);

	cr_assert(r == 0 || r == -ENODEV, "%s", err.msg);
	return r == 0;
}

static bool has_table(const char *name, const char *link)
{
	cleanup_nl struct nl *nl = net_nl(NETLINK_NETFILTER, &err);
	int r;

	cr_assert(nl, "%s", err.msg);
	r = nft_table_del(nl, name, link, &err);
	cr_assert(r == 0 || r == -ENOENT, "%s", err.msg);
	return r == 0;
}

static void up(const char *name, const char *address)
{
	cleanup_nl struct nl *nl = open_nl();
	struct rtnl_link link;

	cr_assert_eq(rtnl_link_get(nl, name, &link, &err), 0, "%s", err.msg);
	if (address)
		cr_assert_eq(rtnl_addr_add(nl, link.index, addr(address), &err), 0, "%s", err.msg);
	cr_assert_eq(net_up(nl, link.index, 0, 0, &err), 0, "%s", err.msg);
}

/* As the guest would: who has @host? */
static bool host_answers(int tap, const uint8_t mac[6], uint32_t guest, uint32_t host)
{
	struct tap_guest g = {.fd = tap, .addr = guest};

	memcpy(g.mac, mac, sizeof(g.mac));
	return tap_guest_meets(&g, host);
}

static struct plan_net plan(enum net_mode mode)
{
	return (struct plan_net){
		.mode = mode, .queue_pairs = 1, .fd = -1, .pointer = (char *)"/vm/devices/0"};
}

static void make(const struct plan_net *p, struct net_made *made, struct tap *tap)
{
	int r = net_plan(p, "vm", "net0", made, &err);

	cr_assert_eq(r, 0, "%s", err.msg);
	r = net_setup(p, made, tap, &err);
	cr_assert_eq(r, 0, "%s", err.msg);
}

Test(net_setup, private_carries_frames_and_goes)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made;
	struct tap tap;

	p.masquerade = true;
	make(&p, &made, &tap);
	cr_expect(exists(made.host_link));
	cr_expect_not(exists(made.tap), "it is in another namespace");
	cr_expect(host_answers(tap.fd[0], made.mac, made.guest.addr, made.host.addr));
	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
	cr_expect_not(exists(made.host_link));
	cr_expect_not(has_table(made.table, made.host_link));
	cr_expect_eq(net_undo(&made, &err), 0, "once more, with nothing left: %s", err.msg);
	tap_close(&tap);
}

Test(net_setup, private_goes_with_its_fd)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made;
	struct tap tap;

	make(&p, &made, &tap);
	tap_close(&tap);
	for (unsigned int n = 0; n < 1000 && exists(made.host_link); n++)
		usleep(10000);
	cr_expect_not(exists(made.host_link));
	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
}

Test(net_setup, a_failure_leaves_nothing)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made;
	struct tap tap = {.nr = 0};

	up("lo", "10.9.8.1/24");
	p.host = addr("10.9.8.77/24");
	p.masquerade = true;
	cr_assert_eq(net_plan(&p, "vm", "net0", &made, &err), 0, "%s", err.msg);
	cr_expect_eq(net_setup(&p, &made, &tap, &err), -EADDRINUSE, "%s", err.msg);
	cr_expect(strstr(err.msg, "/vm/devices/0: "), "%s", err.msg);
	cr_expect_eq(tap.nr, 0);
	cr_expect_not(exists(made.host_link));
	cr_expect_not(has_table("vmrun_vm", made.host_link));
}

/* What another made under the name that was planned, between plan and set-up, stays. */
Test(net_setup, anothers_table_stays)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made;
	struct tap tap = {.nr = 0};
	char table[NET_TABLE_MAX + 16];

	p.masquerade = true;
	cr_assert_eq(net_plan(&p, "vm", "net0", &made, &err), 0, "%s", err.msg);
	strcpy(table, made.table);
	{
		cleanup_nl struct nl *nl = net_nl(NETLINK_NETFILTER, &err);

		cr_assert_eq(nft_private_add(nl, table, &(struct nft_private){.link = "lo"}, &err),
			     0, "%s", err.msg);
	}
	cr_expect_eq(net_setup(&p, &made, &tap, &err), -EEXIST, "%s", err.msg);
	cr_expect_not(exists(made.host_link));
	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
	cr_expect(has_table(table, "lo"));
}

/* Of two state directories */
Test(net_setup, two_vms_with_one_id)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made[2];
	struct tap tap[2];

	p.masquerade = true;
	make(&p, &made[0], &tap[0]);
	make(&p, &made[1], &tap[1]);
	cr_expect(net_is_ours(&made[0], "vm") && net_is_ours(&made[1], "vm"));
	cr_expect_neq(made[0].host.addr, made[1].host.addr);
	cr_expect_eq(net_undo(&made[1], &err), 0, "%s", err.msg);
	tap_close(&tap[1]);
	cr_expect(exists(made[0].host_link) && !exists(made[1].host_link));
	cr_expect_not(has_table(made[1].table, made[1].host_link));
	cr_expect(has_table(made[0].table, made[0].host_link));
	tap_close(&tap[0]);
}

Test(net_setup, anothers_veth_stays)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made;
	struct tap tap = {.nr = 0};
	char link[16];

	cr_assert_eq(net_plan(&p, "vm", "net0", &made, &err), 0, "%s", err.msg);
	memcpy(link, made.host_link, sizeof(link));
	{
		cleanup_nl struct nl *nl = open_nl();

		cr_assert_eq(rtnl_veth_add(nl, link, "far", -1, &err), 0, "%s", err.msg);
	}
	cr_expect_eq(net_setup(&p, &made, &tap, &err), -EEXIST, "%s", err.msg);
	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
	cr_expect(exists(link));
}

Test(net_setup, anothers_macvtap_stays)
{
	struct plan_net p = plan(NET_MODE_MACVTAP);
	struct net_made made;
	struct tap tap = {.nr = 0};
	char name[16];

	strcpy(p.parent, "parent");
	cr_assert_eq(net_plan(&p, "vm", "net0", &made, &err), 0, "%s", err.msg);
	memcpy(name, made.tap, sizeof(name));
	{
		cleanup_nl struct nl *nl = open_nl();
		struct rtnl_link parent;

		cr_assert_eq(rtnl_veth_add(nl, p.parent, "far", -1, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_link_get(nl, p.parent, &parent, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_macvtap_add(nl, name, parent.index, made.mac, &err), 0, "%s",
			     err.msg);
	}
	cr_expect_eq(net_setup(&p, &made, &tap, &err), -EEXIST, "%s", err.msg);
	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
	cr_expect(exists(name), "it has the same MAC, as one of this VM's would have");
}

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

Test(net_setup, taken_networks_are_avoided)
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
		struct net_made made;
		struct tap tap;

		first.addr &= addr_netmask(30);
		addr_put(first, text);
		setenv("NET", text, 1);
		run("%s", takers[i]);
		make(&p, &made, &tap);
		cr_expect_eq(made.host.addr == first_of(p.pool).addr, !takes, "%s", takers[i]);
		cr_expect_eq(made.guest.addr, addr_next(made.host).addr);
		cr_expect_eq(made.gateway, made.host.addr);
		cr_expect_eq(net_undo(&made, &err), 0);
		tap_close(&tap);
		(void)!system("(ip addr flush dev lo; ip route flush table 52; ip route flush "
			      "table 1000) 2>/dev/null");
	}
}

Test(net_setup, a_pool_that_is_taken_whole_is_told_by_what)
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
	struct net_made made;
	struct tap tap = {.nr = 0};

	up("lo", NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		run("%s", cases[i].taker);
		cr_assert_eq(net_plan(&p, "vm", "net0", &made, &err), 0);
		cr_expect_eq(net_setup(&p, &made, &tap, &err), -EADDRINUSE);
		cr_expect(strstr(err.msg, cases[i].msg), "%s", err.msg);
		cr_expect(strstr(err.msg, "/vm/devices/0: ") && strstr(err.msg, "another pool"));
		cr_expect_not(exists(made.host_link));
		p.pool = addr("10.123.0.0/16");
		make(&p, &made, &tap);
		cr_expect_eq(made.host.addr, first_of(p.pool).addr);
		cr_expect_eq(net_undo(&made, &err), 0);
		tap_close(&tap);
		p.pool.bits = 0;
		(void)!system("(ip addr flush dev lo; ip route flush table 52) 2>/dev/null");
	}
	run("ip route add 0.0.0.0/1 dev lo && ip route add 64.0.0.0/2 dev %s", "lo");
	make(&p, &made, &tap);
	tap_close(&tap);
}

/* As many at a time as the pool has networks: each its own, and one more finds none */
Test(net_setup, two_at_a_time_get_two_networks)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made[5];
	struct tap tap[5];
	char id[8];

	p.pool = addr("10.123.0.0/28");
	/* All have planned before the first sets up, and none has an address yet when the next looks. */
	for (unsigned int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "vm%u", i);
		cr_assert_eq(net_plan(&p, id, "net0", &made[i], &err), 0, "%s", err.msg);
		made[i].host = made[0].host;
	}
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_eq(net_setup(&p, &made[i], &tap[i], &err), 0, "%s", err.msg);
		run("ip addr flush dev %s", made[i].host_link);
		for (unsigned int k = 0; k < i; k++)
			cr_expect_neq(made[i].host.addr, made[k].host.addr);
	}
	cr_expect_eq(net_setup(&p, &made[4], &tap[4], &err), -EADDRINUSE, "%s", err.msg);
	p.host = made[0].host;
	cr_assert_eq(net_plan(&p, "vm9", "net0", &made[4], &err), 0, "%s", err.msg);
	cr_expect_eq(net_setup(&p, &made[4], &tap[4], &err), -EADDRINUSE, "%s", err.msg);
	cr_expect(strstr(err.msg, "another VM is in that network"), "%s", err.msg);
	for (unsigned int i = 0; i < 4; i++) {
		cr_expect_eq(net_undo(&made[i], &err), 0);
		tap_close(&tap[i]);
	}
}

Test(net_setup, tap_has_the_hosts_address)
{
	struct plan_net p = plan(NET_MODE_TAP);
	struct net_made made;
	struct tap tap;

	p.host = addr("10.9.8.1/24");
	p.mtu = 1400;
	make(&p, &made, &tap);
	cr_expect_eq(made.mtu, 1400);
	cr_expect_eq(made.gateway, p.host.addr);
	cr_expect(host_answers(tap.fd[0], made.mac, made.guest.addr, made.host.addr));
	tap_close(&tap);
	cr_expect_not(exists(made.tap));
}

Test(net_setup, several_queues)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);
	struct net_made made;
	struct tap tap;

	p.queue_pairs = 3;
	make(&p, &made, &tap);
	cr_expect_eq(tap.nr, 3);
	tap_close(&tap);
	cr_expect_eq(net_undo(&made, &err), 0);
}

/* An interface of a host, and the paths that lead to its own namespace */
Test(net_setup, netns_is_not_the_hosts_own_unless_asked_for)
{
	static const char *const paths[] = {"/proc/self/ns/net", "/proc/thread-self/ns/net",
					    "bound"};
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_made made = {.nr_addrs = 77};
	char dir[] = "/tmp/vmrun-netns-XXXXXX";

	cr_assert(mkdtemp(dir) && chdir(dir) == 0);
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	close(open(paths[2], O_CREAT | O_CLOEXEC, 0600));
	cr_assert_eq(mount(paths[0], paths[2], NULL, MS_BIND, NULL), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++) {
		p.netns_path = (char *)paths[i];
		p.host_network = false;
		cr_expect_eq(net_plan(&p, "vm", "net0", &made, &err), -EINVAL, "%s", paths[i]);
		cr_expect(strstr(err.msg, "hostNetwork"), "%s", err.msg);
		cr_expect_eq(made.nr_addrs, 77);
		p.host_network = true;
		cr_expect_eq(net_plan(&p, "vm", "net0", &made, &err), 0, "%s", err.msg);
		made.nr_addrs = 77;
	}
	umount(paths[2]);
	unlink(paths[2]);
	rmdir(dir);
}

/* A namespace with an interface "eth0", 10.3.3.3/24, whose far end is here as 10.3.3.1/24 */
static int make_pod(char path[64])
{
	int old, fd;

	cr_assert_eq(netns_enter(-1, &old, &err), 0, "%s", err.msg);
	{
		cleanup_nl struct nl *nl = open_nl();

		cr_assert_eq(rtnl_veth_add(nl, "eth0", "far", old, &err), 0, "%s", err.msg);
	}
	up("eth0", "10.3.3.3/24");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	netns_leave(old);
	up("far", "10.3.3.1/24");
	snprintf(path, 64, "/proc/%d/fd/%d", getpid(), fd);
	return fd;
}

Test(net_setup, netns_joins_what_is_there_and_leaves_it)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	const uint32_t far = addr("10.3.3.1/24").addr;
	struct net_made made, twin;
	struct tap tap, second;
	char path[64];

	make_pod(path);
	p.netns_path = path;
	make(&p, &made, &tap);
	cr_expect_str_eq(made.joined, "");
	cr_assert_eq(net_look(&made, 1, 0, &err), 1, "%s", err.msg);
	cr_expect_str_eq(made.joined, "eth0");
	cr_expect_eq(made.guest.addr, addr("10.3.3.3/24").addr);
	cr_expect_eq(made.guest.bits, 24);
	cr_expect_eq(made.gateway, 0);
	cr_assert_eq(net_join(&made, &err), 0, "%s", err.msg);
	cr_expect(host_answers(tap.fd[0], made.mac, made.guest.addr, far));
	cr_expect_eq(net_look(&made, 1, 0, &err), 0, "a start tried again finds it joined");

	/* Another VM in the same namespace cannot have it, and does not break it. */
	cr_assert_eq(net_plan(&p, "other", "net0", &twin, &err), 0, "%s", err.msg);
	cr_assert_eq(net_setup(&p, &twin, &second, &err), 0, "%s", err.msg);
	cr_expect_eq(net_look(&twin, 1, 0, &err), -EEXIST, "%s", err.msg);
	cr_expect(strstr(err.msg, "net0: interface eth0 has an ingress qdisc"), "%s", err.msg);
	cr_expect_str_eq(twin.joined, "", "so it is never on record");
	/* Nor when the other one was faster, between the look and the join, and even then on record. */
	strcpy(twin.joined, "eth0");
	strcpy(twin.tap, second.name);
	cr_expect_eq(net_undo(&twin, &err), 0, "%s", err.msg);
	cr_expect(host_answers(tap.fd[0], made.mac, made.guest.addr, far));
	cr_expect_eq(net_join(&twin, &err), -EEXIST, "%s", err.msg);
	cr_expect_str_eq(twin.joined, "");
	cr_expect_eq(net_undo(&twin, &err), 0, "%s", err.msg);
	cr_expect(host_answers(tap.fd[0], made.mac, made.guest.addr, far));
	tap_close(&second);

	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
	tap_close(&tap);
	/* So the next VM can have it. */
	cr_assert_eq(net_setup(&p, &made, &tap, &err), 0, "%s", err.msg);
	cr_expect_eq(net_join(&made, &err), 0, "%s", err.msg);
	tap_close(&tap);
}

/* By whatever path: what one device has joined the other does not find */
Test(net_setup, netns_by_two_paths_is_one)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_made made[2];
	struct tap tap[2];
	char path[64], twin[64];

	snprintf(twin, sizeof(twin), "/proc/self/fd/%d", make_pod(path));
	p.netns_path = path;
	make(&p, &made[0], &tap[0]);
	p.netns_path = twin;
	cr_assert_eq(net_plan(&p, "vm", "net1", &made[1], &err), 0, "%s", err.msg);
	cr_assert_eq(net_setup(&p, &made[1], &tap[1], &err), 0, "%s", err.msg);
	cr_expect_eq(net_look(made, 2, 0, &err), 1, "%s", err.msg);
	cr_expect_eq(net_look(made, 2, 1, &err), 0, "%s", err.msg);
}

/* What the path leads to later is another's */
Test(net_setup, netns_is_the_one_of_create)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_made made;
	struct tap tap;
	char path[64];
	int fd = make_pod(path), old;

	p.netns_path = path;
	make(&p, &made, &tap);
	cr_expect_eq(net_look(&made, 1, 0, &err), 1, "%s", err.msg);
	cr_assert_eq(netns_enter(-1, &old, &err), 0, "%s", err.msg);
	dup2(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd);
	netns_leave(old);
	cr_expect_eq(net_join(&made, &err), -ESTALE, "%s", err.msg);
	cr_expect(strstr(err.msg, "another network namespace than at create"), "%s", err.msg);
	cr_expect_eq(net_undo(&made, &err), 0, "%s", err.msg);
}

Test(net_setup, netns_with_two_devices_takes_one_interface)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_made made[2];
	struct tap tap[2];
	char path[64];

	make_pod(path);
	p.netns_path = path;
	make(&p, &made[0], &tap[0]);
	cr_assert_eq(net_plan(&p, "vm", "net1", &made[1], &err), 0, "%s", err.msg);
	cr_assert_eq(net_setup(&p, &made[1], &tap[1], &err), 0, "%s", err.msg);
	cr_expect_eq(net_look(made, 2, 0, &err), 1);
	cr_expect_eq(net_look(made, 2, 1, &err), 0);
	cr_expect_str_eq(made[0].joined, "eth0");
	cr_expect_str_eq(made[1].joined, "", "there is no second one");
	cr_expect_eq(net_join(&made[1], &err), 0);
}

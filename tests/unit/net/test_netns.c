/* SPDX-License-Identifier: BSD-3-Clause */
/* Mode netns: what it joins, whose namespace it is, and what stays */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "runtime/netlink/netns.h"
#include "tests/support/net_modes.h"

TestSuite(net_netns, .init = net_modes_own_network);

/* An interface of a host, and the paths that lead to its own namespace */
Test(net_netns, is_not_the_hosts_own_unless_asked_for)
{
	static const char *const paths[] = {"/proc/self/ns/net", "/proc/thread-self/ns/net",
					    "bound"};
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_record record = {.nr_addrs = 77};
	char dir[] = "/tmp/vmrun-netns-XXXXXX";

	cr_assert(mkdtemp(dir) && chdir(dir) == 0);
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	close(open(paths[2], O_CREAT | O_CLOEXEC, 0600));
	cr_assert_eq(mount(paths[0], paths[2], NULL, MS_BIND, NULL), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++) {
		p.netns_path = (char *)paths[i];
		p.host_network = false;
		cr_expect_eq(net_plan(&p, "vm", "net0", &record, &err), -EINVAL, "%s", paths[i]);
		cr_expect(strstr(err.msg, "hostNetwork"), "%s", err.msg);
		cr_expect_eq(record.nr_addrs, 77);
		p.host_network = true;
		cr_expect_eq(net_plan(&p, "vm", "net0", &record, &err), 0, "%s", err.msg);
		record.nr_addrs = 77;
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
		cleanup_nl struct nl nl = NL_CLOSED;

		cr_assert_eq(nl_open(&nl, NETLINK_ROUTE, &err), 0, "%s", err.msg);
		cr_assert_eq(rtnl_veth_add(&nl, "eth0", "far", old, &err), 0, "%s", err.msg);
	}
	up("eth0", "10.3.3.3/24");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	netns_leave(old);
	up("far", "10.3.3.1/24");
	snprintf(path, 64, "/proc/%d/fd/%d", getpid(), fd);
	return fd;
}

Test(net_netns, joins_what_is_there_and_leaves_it)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	const uint32_t far = addr("10.3.3.1/24").addr;
	struct net_record record, twin;
	struct tap tap, second;
	char path[64];

	make_pod(path);
	p.netns_path = path;
	make(&p, &record, &tap);
	cr_expect_str_eq(record.joined, "");
	cr_assert_eq(net_look(&record, 1, 0, &err), 1, "%s", err.msg);
	cr_expect_str_eq(record.joined, "eth0");
	cr_expect_eq(record.guest.addr, addr("10.3.3.3/24").addr);
	cr_expect_eq(record.guest.bits, 24);
	cr_expect_eq(record.gateway, 0);
	cr_assert_eq(net_join(&record, &err), 0, "%s", err.msg);
	cr_expect(host_answers(tap.fd[0], record.mac, record.guest.addr, far));
	cr_expect_eq(net_look(&record, 1, 0, &err), 0, "a start tried again finds it joined");

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
	cr_expect(host_answers(tap.fd[0], record.mac, record.guest.addr, far));
	cr_expect_eq(net_join(&twin, &err), -EEXIST, "%s", err.msg);
	cr_expect_str_eq(twin.joined, "");
	cr_expect_eq(net_undo(&twin, &err), 0, "%s", err.msg);
	cr_expect(host_answers(tap.fd[0], record.mac, record.guest.addr, far));
	tap_close(&second);

	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
	tap_close(&tap);
	/* So the next VM can have it. */
	cr_assert_eq(net_setup(&p, &record, &tap, &err), 0, "%s", err.msg);
	cr_expect_eq(net_join(&record, &err), 0, "%s", err.msg);
	tap_close(&tap);
}

/* One device does not find what the other has joined by another path */
Test(net_netns, by_two_paths_is_one)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_record record[2];
	struct tap tap[2];
	char path[64], twin[64];

	snprintf(twin, sizeof(twin), "/proc/self/fd/%d", make_pod(path));
	p.netns_path = path;
	make(&p, &record[0], &tap[0]);
	p.netns_path = twin;
	cr_assert_eq(net_plan(&p, "vm", "net1", &record[1], &err), 0, "%s", err.msg);
	cr_assert_eq(net_setup(&p, &record[1], &tap[1], &err), 0, "%s", err.msg);
	cr_expect_eq(net_look(record, 2, 0, &err), 1, "%s", err.msg);
	cr_expect_eq(net_look(record, 2, 1, &err), 0, "%s", err.msg);
}

/* What the path leads to later is another's */
Test(net_netns, is_the_one_of_create)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_record record;
	struct tap tap;
	char path[64];
	int fd = make_pod(path), old;

	p.netns_path = path;
	make(&p, &record, &tap);
	cr_expect_eq(net_look(&record, 1, 0, &err), 1, "%s", err.msg);
	cr_assert_eq(netns_enter(-1, &old, &err), 0, "%s", err.msg);
	dup2(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd);
	netns_leave(old);
	cr_expect_eq(net_join(&record, &err), -ESTALE, "%s", err.msg);
	cr_expect(strstr(err.msg, "another network namespace than at create"), "%s", err.msg);
	cr_expect_eq(net_undo(&record, &err), 0, "%s", err.msg);
}

Test(net_netns, with_two_devices_takes_one_interface)
{
	struct plan_net p = plan(NET_MODE_NETNS);
	struct net_record record[2];
	struct tap tap[2];
	char path[64];

	make_pod(path);
	p.netns_path = path;
	make(&p, &record[0], &tap[0]);
	cr_assert_eq(net_plan(&p, "vm", "net1", &record[1], &err), 0, "%s", err.msg);
	cr_assert_eq(net_setup(&p, &record[1], &tap[1], &err), 0, "%s", err.msg);
	cr_expect_eq(net_look(record, 2, 0, &err), 1);
	cr_expect_eq(net_look(record, 2, 1, &err), 0);
	cr_expect_str_eq(record[0].joined, "eth0");
	cr_expect_str_eq(record[1].joined, "", "there is no second one");
	cr_expect_eq(net_join(&record[1], &err), 0);
}

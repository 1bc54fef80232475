/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The namespaces of a container's supervisor, which is the test's own process
 *
 * Criterion runs each test in a process, so none has to return.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "runtime/net/net.h"
#include "runtime/netlink/rtnl.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/supervisor/namespaces.h"
#include "runtime/supervisor/nets.h"
#include "tests/support/addr_text.h"
#include "tests/support/private_net.h"

enum { NET, IPC, UTS, NAMES };
static const char *const names[NAMES] = {"net", "ipc", "uts"};
static const int flags[NAMES] = {CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS};

static struct err err;
static struct plan_proc proc[3];
static struct plan plan = {.proc = proc, .hostname = "web-0", .container = true};
static const struct launch launch_of_test = {.plan = &plan};
static struct supervisor s;
static ino_t first[NAMES];

static ino_t here(unsigned int which)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", names[which]);
	cr_assert_eq(stat(path, &st), 0);
	return st.st_ino;
}

static void setup(void)
{
	private_net_or_skip();
	cr_assert_eq(unshare(CLONE_NEWUTS), 0);
	cr_assert_eq(sethostname("host", 4), 0);
	s = (struct supervisor){.launch = &launch_of_test, .host_net = -1, .log = {.fd = -1}};
	s.state = calloc(1, sizeof(*s.state));
	spawn_init(&s.spawn);
	for (unsigned int i = 0; i < NAMES; i++)
		first[i] = here(i);
}

TestSuite(namespaces, .init = setup);

static void ask_for(unsigned int which, const char *path)
{
	plan.namespace[plan.nr_namespaces++] = (struct plan_namespace){
		.flag = flags[which],
		.path = (char *)path,
		.pointer = (char *)"/linux/namespaces/7",
	};
}

static const char *hostname(void)
{
	static struct utsname u;

	uname(&u);
	return u.nodename;
}

/* A path to namespace @which of a process that has new ones of all kinds, whose host is "pod" */
static const char *of_a_pod(unsigned int which)
{
	static pid_t pid;
	static char path[NAMES][64];
	int ready[2];

	if (!pid) {
		cr_assert_eq(pipe(ready), 0);
		pid = fork();
		if (pid == 0) {
			if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0 &&
			    sethostname("pod", 3) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
				(void)!write(ready[1], "", 1);
			close(ready[1]);
			pause();
		}
		close(ready[1]);
		cr_assert_eq(read(ready[0], path, 1), 1);
	}
	snprintf(path[which], sizeof(path[0]), "/proc/%d/ns/%s", pid, names[which]);
	return path[which];
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_ino;
}

Test(namespaces, none_is_entered_that_is_not_listed)
{
	ok(namespaces_enter(&s, &err));
	for (unsigned int i = 0; i < NAMES; i++)
		cr_expect_eq(here(i), first[i], "%s", names[i]);
	cr_expect_eq(s.host_net, -1);
	cr_expect_str_eq(hostname(), "host");
}

Test(namespaces, new_ones)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	for (unsigned int i = 0; i < NAMES; i++)
		ask_for(i, NULL);
	ok(namespaces_enter(&s, &err));
	for (unsigned int i = 0; i < NAMES; i++)
		cr_expect_neq(here(i), first[i], "%s", names[i]);
	cr_expect_str_eq(hostname(), "web-0", "for those who join it");
	ok(nets_describe(&s, &items, &err));
	cr_expect_eq(items.len, 0, "config.json has said it");
	nets_undo(&s);
	cr_expect_eq(s.host_net, -1);
}

Test(namespaces, those_of_a_pod)
{
	static const uint8_t says[] = {AGENT_HOSTNAME, 0, 0, 0, 4, 0, 0, 0, 'p', 'o', 'd', 0};
	cleanup_spec_items struct spec_items items = {.bytes = NULL};

	for (unsigned int i = 0; i < NAMES; i++)
		ask_for(i, of_a_pod(i));
	plan.joins_name = true;
	ok(namespaces_enter(&s, &err));
	for (unsigned int i = 0; i < NAMES; i++)
		cr_expect_eq(here(i), inode_of(of_a_pod(i)), "%s", names[i]);
	ok(nets_describe(&s, &items, &err));
	cr_assert_eq(items.len, sizeof(says));
	cr_expect_eq(memcmp(items.bytes, says, sizeof(says)), 0, "the pod's name is its own");
}

Test(namespaces, of_another_kind_are_refused)
{
	char says[160];

	for (unsigned int i = 0; i < NAMES; i++) {
		plan.nr_namespaces = 0;
		ask_for(i, of_a_pod((i + 1) % NAMES));
		cr_expect_eq(namespaces_enter(&s, &err), -EINVAL, "%s", names[i]);
		snprintf(says, sizeof(says),
			 "/linux/namespaces/7/path: %s is a namespace, but no %s namespace",
			 of_a_pod((i + 1) % NAMES), i == NET ? "network" : names[i]);
		cr_expect_str_eq(err.msg, says);
	}
}

/* ---- network devices ---- */

static void add_device(unsigned int i, enum net_mode mode)
{
	const struct net_settings settings = {.mtu = 0};

	plan_set_settings(&proc[1 + i], &settings, sizeof(settings));
	plan.net[i] = (struct plan_net){.proc = 1 + i,
					.mode = mode,
					.alone = mode == NET_MODE_NETNS,
					.queue_pairs = 1,
					.fd = -1,
					.pointer = (char *)"/vm/devices/0"};
	snprintf(plan.net[i].name, sizeof(plan.net[i].name), "vmrun%u", i);
	snprintf(proc[1 + i].name, sizeof(proc[1 + i].name), "net%u", i);
	plan.nr_nets = s.state->nr_nets = i + 1;
	plan.nr_procs = 2 + i;
	ok(net_plan(&plan.net[i], "vm", proc[1 + i].name, &s.state->net[i], &err));
}

static bool exists(const char *name)
{
	cleanup_nl struct nl nl = NL_CLOSED;
	struct rtnl_link link;

	ok(nl_open(&nl, NETLINK_ROUTE, &err));
	return rtnl_link_get(&nl, name, &link, &err) == 0;
}

/* The spare device of a new namespace is inside of it, one of another mode begins on the host. */
Test(namespaces, each_device_in_its_place)
{
	char path[64];
	int back;

	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		cr_skip_test("needs /dev/net/tun");
	ask_for(NET, NULL);
	add_device(0, NET_MODE_NETNS);
	add_device(1, NET_MODE_TAP);
	cr_expect_str_eq(s.state->net[0].netns, "");
	ok(namespaces_enter(&s, &err));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", getpid());
	cr_expect_str_eq(s.state->net[0].netns, path);
	cr_expect_eq(s.state->net[0].netns_id.ino, here(NET));
	ok(nets_make(&s, &s.spawn, &err));
	cr_expect_neq(here(NET), first[NET]);
	cr_expect(exists("vmrun0") && !exists("vmrun1"));
	back = dup(s.host_net);
	nets_undo(&s);
	netns_leave(back);
	cr_expect(!exists("vmrun0") && exists("vmrun1"));
}

/* As docker and buildah: create, then a veth into /proc/PID/ns/net, then start */
Test(namespaces, an_interface_that_appears_after_create)
{
	cleanup_spec_items struct spec_items items = {.bytes = NULL};
	struct agent_link link;
	char command[512];

	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		cr_skip_test("needs /dev/net/tun");
	ask_for(NET, NULL);
	add_device(0, NET_MODE_NETNS);
	ok(namespaces_enter(&s, &err));
	ok(nets_make(&s, &s.spawn, &err));
	cr_assert_eq(net_look(s.state->net, 1, 0, &err), 0, "%s", err.msg);
	ok(nets_describe(&s, &items, &err));
	cr_assert_eq(items.len, sizeof(struct agent_item) + sizeof(link) + sizeof("lo"));
	memcpy(&link, items.bytes + sizeof(struct agent_item), sizeof(link));
	cr_expect_eq(link.flags & AGENT_LINK_DOWN, 0, "lo is up, as runtimes make it");
	snprintf(command, sizeof(command),
		 "ip link add ceth0 type veth peer name far netns /proc/%d/fd/%d && "
		 "ip addr add 10.1.2.3/24 dev ceth0 && ip link set ceth0 up",
		 getpid(), s.host_net);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(net_look(s.state->net, 1, 0, &err), 1, "%s", err.msg);
	ok(net_join(&s.state->net[0], &err));
	ok(nets_describe(&s, &items, &err));
	cr_expect(memmem(items.bytes, items.len, "ceth0", sizeof("ceth0")));
	nets_undo(&s);
	cr_expect_eq(s.state->nr_nets, 0);
}

Test(namespaces, one_vm_in_each)
{
	const struct net_record *r = s.state->net;

	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		cr_skip_test("needs /dev/net/tun");
	for (unsigned int i = 0; i < 2; i++) {
		plan.net[0].name[0] = '\0';
		add_device(0, NET_MODE_NETNS);
		plan.net[0].netns_path = (char *)of_a_pod(NET);
		ok(net_plan(&plan.net[0], i ? "second" : "first", "net0", &s.state->net[0], &err));
		cr_expect_str_eq(r->netns, of_a_pod(NET));
		if (i == 0) {
			ok(nets_make(&s, &s.spawn, &err));
			continue;
		}
		cr_expect_eq(nets_make(&s, &s.spawn, &err), -EBUSY);
		cr_expect_str_eq(err.msg,
				 "/vm/devices/0: another container has a VM in this network "
				 "namespace: vmrun runs one container of a pod, and this would be "
				 "the second");
	}
}

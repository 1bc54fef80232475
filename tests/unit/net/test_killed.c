/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A set-up that is killed after each of its requests to the kernel, and what undoing leaves
 *
 * The set-up runs in a traced child, which dies by SIGKILL right after its first, second, ... netlink
 * request or ioctl. What was planned is all that is known afterwards, as it is to `delete --force`.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "runtime/net/net.h"
#include "runtime/netlink/nft.h"
#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/rtnl_dump.h"
#include "tests/support/private_net.h"

#define STEPS_MIN 4 /* each mode has more */
#define STEPS_MAX 200

static struct nl nl;
static struct err err;

static void begin(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		cr_skip_test("no /dev/net/tun for this user");
	private_net_open(&nl);
	ok(rtnl_veth_add(&nl, "parent", "far", -1, &err));
}

TestSuite(net_killed, .init = begin);

static bool is_step(pid_t pid)
{
	long nr = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.orig_rax), NULL);

	return nr == SYS_sendto || nr == SYS_ioctl;
}

static void run_traced(const struct plan_net *p, struct net_record record)
{
	struct tap tap;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(2);
	raise(SIGSTOP);
	_exit(net_setup(p, &record, &tap, &err) < 0);
}

/* Whether the set-up has an @nth step; it was killed after it then */
static bool killed_after(const struct plan_net *p, const struct net_record *record,
			 unsigned int nth)
{
	bool inside = false; /* a system call */
	int status;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0)
		run_traced(p, *record);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status) && nth > 0) {
		cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		inside = !inside;
		if (WIFSTOPPED(status) && !inside && is_step(pid))
			nth--;
	}
	if (WIFEXITED(status))
		cr_expect_eq(WEXITSTATUS(status), 0, "an undisturbed set-up works");
	else
		kill(pid, SIGKILL);
	cr_assert(WIFEXITED(status) || waitpid(pid, &status, 0) == pid);
	return nth == 0;
}

static unsigned int links(void)
{
	struct rtnl_link link[RTNL_LINKS_MAX];
	unsigned int nr;

	ok(rtnl_links(&nl, link, &nr, &err));
	return nr;
}

static bool has_table(const char *name, const char *link)
{
	cleanup_nl struct nl nf = NL_CLOSED;

	return *name && nl_open(&nf, NETLINK_NETFILTER, &err) == 0 &&
	       nft_table_del(&nf, name, link, &err) == 0;
}

static void check(const struct plan_net *p)
{
	const unsigned int before = links();
	struct net_record record;
	unsigned int step = 1;

	for (bool more = true; more && step < STEPS_MAX; step++) {
		ok(net_plan(p, "vm", "net0", &record, &err));
		more = killed_after(p, &record, step);
		ok(net_undo(&record, &err));
		/* A namespace goes some time after the last that was in it. */
		for (unsigned int n = 0; n < 1000 && links() != before; n++)
			usleep(10000);
		cr_assert_eq(links(), before, "step %u: an interface is left", step);
		cr_assert_not(
			has_table(record.table, *record.host_link ? record.host_link : "none"),
			"step %u: the table is left", step);
	}
	cr_expect(step > STEPS_MIN && step < STEPS_MAX, "%u steps", step);
}

static struct plan_net plan(enum net_mode mode)
{
	return (struct plan_net){
		.mode = mode, .queue_pairs = 1, .fd = -1, .pointer = (char *)"/vm/devices/0"};
}

Test(net_killed, private)
{
	struct plan_net p = plan(NET_MODE_PRIVATE);

	p.masquerade = true;
	check(&p);
}

Test(net_killed, tap)
{
	struct plan_net p = plan(NET_MODE_TAP);

	p.host = net("10.9.8.1", 24);
	p.queue_pairs = 2;
	check(&p);
}

Test(net_killed, macvtap)
{
	struct plan_net p = plan(NET_MODE_MACVTAP);

	strcpy(p.parent, "parent");
	check(&p);
}

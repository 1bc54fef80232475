/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "runtime/supervisor/others.h"
#include "runtime/util/listen.h"
#include "tests/support/temp_dir.h"

Test(others, the_socket_is_named)
{
	static struct plan_proc procs[2] = {
		{.fd = {[BOOT_FD_DEVICE + 1] = {.path = (char *)"/run/a",
						.pointer = (char *)"/p/1"},
			[BOOT_FD_DEVICE + 2] = {.path = (char *)"/run/b",
						.pointer = (char *)"/p/2"}}},
	};
	const struct plan p = {.nr_procs = 2,
			       .proc = procs,
			       .nr_others = 2,
			       .other = {{.name = "fs1"}, {.name = "fs10"}}};
	struct err err = {.code = 7, .msg = "before"};

	cr_expect(others_name(&p, "device fs10: no answer in 5000 ms", &err));
	cr_expect_str_eq(err.msg, "/p/2: no answer in 5000 ms (/run/b)");
	cr_expect(others_name(&p, "device fs1: why: not", &err));
	cr_expect_str_eq(err.msg, "/p/1: why: not (/run/a)");
	cr_expect_not(others_name(&p, "device fs: no", &err));
	cr_expect_not(others_name(&p, "device fs1", &err));
	cr_expect_not(others_name(&p, "fs1: no", &err));
	cr_expect_not(others_name(&p, "gadget fs1: no", &err));
	cr_expect_not(others_name(&p, "", &err));
	cr_expect_str_eq(err.msg, "/p/1: why: not (/run/a)");
}

/* ---- a supervisor of a VMM that is a socket, with one device that returns and one that does not ---- */

static char path[128];
static struct plan_proc vmm = {
	.fd = {[BOOT_FD_DEVICE] = {.path = path, .pointer = (char *)"/p/0"},
	       [BOOT_FD_DEVICE + 1] = {.path = path, .pointer = (char *)"/p/1"}}};
static struct plan plan = {.nr_procs = 1,
			   .proc = &vmm,
			   .nr_others = 2,
			   .other = {{.name = "block0", .returns = true}, {.name = "fs0"}}};
static struct launch fake = {.plan = &plan};
static struct supervisor s;
static int vmm_end;

static void setup(void)
{
	struct err err;
	int pair[2];

	temp_dir_make();
	snprintf(path, sizeof(path), "%s/s", temp_dir);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	vmm_end = pair[1];
	s = (struct supervisor){.launch = &fake, .stage = STAGE_RUNNING, .nr = 1};
	s.state = calloc(1, sizeof(*s.state));
	s.log.fd = -1;
	s.start.client = -1;
	spawned_init(&s.proc[0]);
	s.proc[0].control = pair[0];
	s.proc[0].jailed = (struct jailed){1, eventfd(0, 0)}; /* no pidfd */
	cr_assert_eq(loop_init(&s.loop, &err), 0);
}

TestSuite(others_return, .init = setup, .fini = temp_dir_remove, .timeout = 20);

static void lose(uint64_t connection)
{
	struct ctl_msg m = {.type = CTL_LOST, .arg = connection, .text = "block0"};

	others_lost(&s, &m);
}

static void try_now(void)
{
	s.other[0].due_ns = 1;
	others_late(&s);
}

/* Whether the VMM gets a connection, of this number, on which it never waits for ever */
static bool handed_over(uint64_t number)
{
	struct timeval limit = {0};
	struct ctl_msg m;
	int fd = -1;

	if (ctl_recv_fd(vmm_end, &m, &fd) != 1)
		return false;
	cr_expect_eq(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &(socklen_t){sizeof(limit)}),
		     0);
	cr_expect_gt(limit.tv_sec, 0, "a back-end that reads nothing holds the VMM up for ever");
	cr_expect_eq(m.type, CTL_DEVICE);
	cr_expect_eq(m.arg, number);
	cr_expect_str_eq(m.text, "block0");
	cr_expect_geq(fd, 0);
	close(fd);
	return true;
}

Test(others_return, only_those_that_may)
{
	cr_expect(others_returns(&s, "block0"));
	cr_expect_not(others_returns(&s, "fs0"));
	cr_expect_not(others_returns(&s, "rng0"));
}

Test(others_return, connects_once_a_process_listens)
{
	struct listener l;
	struct err err;

	lose(0);
	cr_assert_neq(s.others_ns, 0);
	try_now();
	cr_expect_not(handed_over(1), "nothing is there");
	cr_assert_neq(s.others_ns, 0, "it tries again");
	cr_assert_eq(listen_at(path, SOCK_STREAM, &l, &err), 0, "%s", err.msg);
	try_now();
	cr_expect(handed_over(1));
	cr_expect_eq(s.others_ns, 0);
	lose(0);
	cr_expect_eq(s.others_ns, 0, "that connection is an earlier one");
	for (uint64_t n = 1; n < RESTART_MAX; n++) {
		lose(n);
		try_now();
		cr_expect(handed_over(n + 1));
	}
	lose(RESTART_MAX);
	cr_expect_eq(s.stage, STAGE_ENDING, "too often");
	cr_expect_eq(s.state->cause, END_DEVICE_KILLED);
	cr_expect(strstr(s.state->detail, "/p/0: the back-end is gone, after 5 connections"), "%s",
		  s.state->detail);
	listen_done(&l);
}

Test(others_return, gives_up)
{
	lose(0);
	s.other[0].ready_by_ns = 1;
	try_now();
	cr_expect_eq(s.stage, STAGE_ENDING);
	cr_expect_eq(s.state->cause, END_DEVICE_KILLED);
	cr_expect(strstr(s.state->detail, "did not come back in 10 s"), "%s", s.state->detail);
	cr_expect_eq(s.others_ns, 0);
}

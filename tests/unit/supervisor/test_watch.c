/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor whose processes are sockets in the test's hand: what they may say, and how often. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/supervisor/create.h"
#include "runtime/supervisor/lines.h"
#include "runtime/supervisor/watch.h"
#include "runtime/util/clock.h"

#define NR_PROCS 2 /* the VMM, rng0 */
#define FLOOD	 1000

static struct supervisor s;
static int process[NR_PROCS], process_log[NR_PROCS]; /* their ends */
static struct err err;
static struct plan_proc procs[NR_PROCS];
static struct plan plan = {.proc = procs, .nr_procs = NR_PROCS};
static const struct launch launch = {.plan = &plan};

static void setup(void)
{
	static const char *const names[NR_PROCS] = {"vmm", "rng0"};

	s = (struct supervisor){.stage = STAGE_CREATING, .report = -1, .error_fd = -1};
	s.launch = &launch;
	s.state = calloc(1, sizeof(*s.state));
	s.log.fd = -1;
	s.start.client = -1;
	cr_assert_eq(loop_init(&s.loop, &err), 0);
	for (s.nr = 0; s.nr < NR_PROCS; s.nr++) {
		struct spawned *p = &s.proc[s.nr];
		int pair[2], log[2];

		spawned_init(p);
		snprintf(p->name, sizeof(p->name), "%s", names[s.nr]);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		cr_assert_eq(pipe2(log, O_NONBLOCK | O_DIRECT), 0);
		p->control = pair[0];
		process[s.nr] = pair[1];
		p->log = log[0];
		process_log[s.nr] = log[1];
		p->jailed = (struct jailed){1, eventfd(0, 0)}; /* never readable, and no pidfd */
		cr_assert_eq(watch_process(&s, s.nr, &err), 0);
	}
}

TestSuite(watch, .init = setup, .timeout = 20);

/* Has it heard by the supervisor, until it does not listen any more; how often it could be said */
static unsigned int flood(unsigned int i, enum ctl_type type)
{
	unsigned int nr = 0;

	while (nr < FLOOD && s.proc[i].control >= 0 &&
	       ctl_send(process[i], type, END_POWEROFF, 0, "again") == 0) {
		nr++;
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	}
	return nr;
}

Test(watch, ready_is_said_once)
{
	char how[64];

	cr_expect_eq(flood(1, CTL_READY), 2);
	cr_expect(s.proc[1].ready);
	spawned_describe(&s.proc[1], how, sizeof(how));
	cr_expect_str_eq(how, "killed because it broke the rules of its control socket");
	cr_expect_eq(s.proc[1].control, -1);
}

Test(watch, phases_have_a_budget)
{
	cr_expect_eq(flood(0, CTL_PHASE), 65);
	cr_expect_eq(s.proc[0].control, -1);
}

Test(watch, an_end_that_does_not_stop)
{
	s.stage = STAGE_RUNNING;
	cr_expect_eq(flood(0, CTL_ENDED), 1, "after the end the VMM is not read any more");
	cr_expect_eq(flood(1, CTL_DONE), 65);
	cr_expect_eq(s.proc[1].control, -1);
}

/* A process that lives and ignores requests to leave; whether it is dead soon */
static bool dies_of_it(bool by_an_empty_message)
{
	struct spawned *p = &s.proc[0];
	struct pollfd death = {.events = POLLIN};
	const pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0)
		close(process[0]);
	while (pid == 0)
		pause();
	close(p->jailed.pidfd);
	p->jailed = (struct jailed){pid, (int)syscall(SYS_pidfd_open, pid, 0)};
	cr_assert_geq(p->jailed.pidfd, 0);
	if (by_an_empty_message)
		cr_assert_eq(send(process[0], "", 0, 0), 0);
	else
		close(process[0]);
	cr_assert_eq(loop_once(&s.loop, 5000, &err), 0);
	cr_expect_eq(p->control, -1);
	death.fd = p->jailed.pidfd;
	if (poll(&death, 1, 5000) == 1)
		return true;
	kill(pid, SIGKILL);
	return false;
}

Test(watch, what_waits_for_devices_has_a_budget)
{
	unsigned int nr = 0;

	s.stage = STAGE_RUNNING;
	while (nr < FLOOD && s.proc[0].control >= 0) {
		cr_assert_eq(ctl_send(process[0], CTL_LATE, 1000, 0, "rng0"), 0);
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
		nr++;
	}
	/* More than the socket holds while the supervisor stands still */
	cr_expect_gt(nr, 200);
	cr_expect_lt(nr, FLOOD);
}

Test(watch, a_process_that_closes_its_control_socket_is_killed)
{
	s.stage = STAGE_RUNNING;
	cr_expect(dies_of_it(false));
}

Test(watch, a_process_that_feigns_its_end_is_killed)
{
	s.stage = STAGE_RUNNING;
	cr_expect(dies_of_it(true));
}

Test(watch, a_log_over_its_budget_waits_and_nothing_else_does)
{
	uint64_t again_ns;

	for (unsigned int i = 0; i < FLOOD && !s.listen_again_ns; i++) {
		(void)!write(process_log[1], "W again\n", 8);
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	}
	again_ns = s.listen_again_ns;
	cr_expect_gt(again_ns, 0);
	while (write(process_log[1], "W full\n", 7) > 0)
		;
	/* The loop has nothing to do, for all that is in that pipe, and hears the others. */
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_expect_eq(s.listen_again_ns, again_ns);
	cr_assert_eq(ctl_send(process[1], CTL_READY, 0, 0, NULL), 0);
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_expect(s.proc[1].ready);
	/* What a writer left behind is read to the end. */
	close(process_log[1]);
	for (unsigned int i = 0; i < FLOOD && s.proc[1].log >= 0; i++)
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_expect_eq(s.proc[1].log, -1);
}

Test(watch, a_log_is_heard_again)
{
	while (!s.listen_again_ns) {
		(void)!write(process_log[1], "W again\n", 8);
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	}
	/* As if the time had come, and a little more */
	s.proc[1].lines.seen_ns -= 1000000000;
	lines_again(&s);
	cr_expect_eq(s.listen_again_ns, 0);
	cr_assert_eq(ctl_send(process[1], CTL_READY, 0, 0, NULL), 0);
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_expect_eq(s.listen_again_ns, 0, "there is budget");
}

Test(watch, a_process_that_is_not_ready_in_time_is_named)
{
	s.create_by_ns = clock_ns();
	s.proc[0].ready = true;
	create_late(&s);
	cr_expect_eq(s.stage, STAGE_ENDING);
	cr_expect(s.failed);
	cr_expect_str_eq(s.failure.msg, "rng0: not ready after 60 s");
	cr_expect_eq(s.create_by_ns, 0);
}

/* A process of its own for the device, which waits for a signal */
static pid_t give_process(struct spawned *p, unsigned int i)
{
	const int watched[] = {p->control, p->log, p->jailed.pidfd};
	const pid_t pid = fork();

	cr_assert_geq(pid, 0);
	while (pid == 0)
		pause();
	for (size_t n = 0; n < ARRAY_SIZE(watched); n++)
		loop_del(&s.loop, watched[n]);
	close(p->jailed.pidfd);
	p->jailed = (struct jailed){pid, (int)syscall(SYS_pidfd_open, pid, 0)};
	cr_assert_geq(p->jailed.pidfd, 0);
	cr_assert_eq(watch_process(&s, i, &err), 0, "%s", err.msg);
	return pid;
}

/* The VMM sees a connection end, perhaps before the device's process is dead. */
Test(watch, a_death_explains_what_the_vmm_says_of_a_device_that_is_not_ready)
{
	const pid_t pid = give_process(&s.proc[1], 1);

	cr_assert_eq(ctl_send(process[0], CTL_FAILED, EIO, 0, "device rng0: receive: reset"), 0);
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_expect_not(s.failed);
	kill(pid, SIGKILL);
	while (!s.failed)
		cr_assert_eq(loop_once(&s.loop, 1000, &err), 0);
	cr_expect_str_eq(s.failure.msg, "rng0: killed by SIGKILL before it was ready");
}

Test(watch, what_the_vmm_says_of_a_device_that_does_not_die_is_the_reason)
{

	cr_assert_eq(ctl_send(process[0], CTL_FAILED, EIO, 0, "device rng0: no answer"), 0);
	cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_expect_gt(s.deadline_ns, 0);
	watch_deadline(&s);
	cr_expect(s.failed);
	cr_expect_str_eq(s.failure.msg, "device rng0: no answer");
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor whose VMM is a socket in the test's hand: a pause, a resume, and what can come between. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/pause.h"
#include "tests/support/temp_dir.h"

static struct supervisor s;
static int vmm;	   /* its end */
static int client; /* its end */
static struct err err;

static void setup(void)
{
	static struct plan plan;
	static const struct launch launch = {.plan = &plan};
	int pair[2];

	s = (struct supervisor){.stage = STAGE_RUNNING, .nr = 1, .launch = &launch};
	temp_dir_make();
	s.dir = open(temp_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s.state = calloc(1, sizeof(*s.state));
	s.state->status = STATE_RUNNING;
	s.log.fd = -1;
	spawned_init(&s.proc[0]);
	snprintf(s.proc[0].name, sizeof(s.proc[0].name), "vmm");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	s.proc[0].control = pair[0];
	vmm = pair[1];
}

TestSuite(pause, .init = setup, .fini = temp_dir_remove);

/* As a client of the control socket asks */
static int ask(int (*begin)(struct supervisor *, int, struct err *))
{
	int pair[2], rc;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	client = pair[0];
	rc = begin(&s, pair[1], &err);
	if (rc < 0)
		close(pair[1]);
	return rc;
}

/* What the client was answered: an errno value, or -1 when it was not yet */
static int answered(void)
{
	struct reply r;

	return recv(client, &r, sizeof(r), 0) == sizeof(r) ? (int)r.code : -1;
}

/* The type of the request that the VMM receives, 0: none */
static uint32_t asked(void)
{
	struct ctl_msg m;

	return ctl_recv(vmm, &m) == 1 ? m.type : 0;
}

static void answer(uint32_t code)
{
	const struct ctl_msg m = {.type = CTL_DONE, .code = code, .text = "why"};

	cr_assert(ask_is_open(&s, &s.proc[0]));
	ask_answered(&s, &s.proc[0], &m);
}

static void pause_it(void)
{
	cr_assert_eq(ask(pause_begin), 0);
	cr_assert_eq(asked(), CTL_PAUSE);
	answer(0);
	cr_assert_eq(answered(), 0);
}

Test(pause, there_and_back)
{
	pause_it();
	cr_expect_eq(s.state->status, STATE_PAUSED);
	cr_expect_eq(faccessat(s.dir, STATE_FILE, F_OK, 0), 0, "it is on file");
	cr_assert_eq(ask(pause_end), 0);
	cr_assert_eq(asked(), CTL_RESUME);
	cr_expect_eq(s.state->status, STATE_RUNNING, "recorded before the guest runs");
	answer(0);
	cr_expect_eq(answered(), 0);
	cr_expect_eq(s.state->status, STATE_RUNNING);
	pause_it();
}

Test(pause, each_resume_brings_another_generation)
{
	uint64_t before[2] = {0};

	for (unsigned int i = 0; i < 3; i++) {
		struct ctl_msg m;

		pause_it();
		cr_assert_eq(ask(pause_end), 0);
		cr_assert(ctl_recv(vmm, &m) == 1 && m.type == CTL_RESUME);
		cr_expect_neq(memcmp(m.value, before, sizeof(before)), 0);
		memcpy(before, m.value, sizeof(before));
		answer(0);
	}
}

Test(pause, not_now)
{
	cr_expect_eq(ask(pause_end), -EINVAL);
	cr_expect_str_eq(err.msg, "container not paused");
	cr_assert_eq(ask(pause_begin), 0);
	cr_expect_eq(ask(pause_begin), -EBUSY);
	cr_expect_eq(ask(pause_end), -EBUSY, "it is not paused yet");
	answer(0);
	cr_expect_eq(ask(pause_begin), -EINVAL);
	cr_expect_str_eq(err.msg, "container not running");
	cr_assert_eq(ask(pause_end), 0);
	cr_expect_eq(ask(pause_end), -EBUSY);
	answer(0);
	s.stage = STAGE_CREATED;
	cr_expect_eq(ask(pause_begin), -EINVAL);
}

Test(pause, a_refusal_changes_nothing)
{
	cr_assert_eq(ask(pause_begin), 0);
	answer(EBUSY);
	cr_expect_eq(answered(), EBUSY);
	cr_expect_eq(s.state->status, STATE_RUNNING);
	pause_it();
}

static int ask_again(void)
{
	return pause_begin(&s, -1, &err);
}

/* The VMM ends the pause, which it answers, and then answers the resume */
static void late(void)
{
	cr_assert_eq(ask(pause_begin), 0);
	cr_assert_eq(asked(), CTL_PAUSE);
	s.ask[0].entry[s.ask[0].first].deadline_ns = 1;
	ask_late(&s);
	cr_expect_eq(answered(), -1);
	cr_expect_eq(asked(), CTL_RESUME);
	cr_expect_eq(ask_again(), -EBUSY, "the guest does not run yet");
	answer(ECANCELED);
}

static const char *told(uint64_t nr)
{
	static struct reply r;
	const struct ctl_msg m = {.type = CTL_DONE, .value = {nr}};

	late();
	ask_answered(&s, &s.proc[0], &m);
	cr_assert_eq(recv(client, &r, sizeof(r), 0), sizeof(r));
	cr_expect_eq(r.code, ETIMEDOUT);
	cr_expect_eq(s.state->status, STATE_RUNNING);
	return r.text;
}

Test(pause, a_device_that_does_not_finish)
{
	static struct plan_proc procs[] = {
		{.name = "vmm",
		 .fd = {[BOOT_FD_DEVICE + 1] = {.path = (char *)"/run/s",
						.pointer = (char *)"/p"}}},
		{.name = "rng0"}};
	static struct plan plan = {.nr_procs = 2, .proc = procs, .nr_others = 1};
	const struct launch launch = {.plan = &plan};

	s.launch = &launch;
	snprintf(s.proc[1].name, sizeof(s.proc[1].name), "rng0");
	s.proc[1].jailed.pid = getpid();
	cr_expect_str_eq(told(1), "rng0 does not answer: the container goes on");
	cr_expect_str_eq(told(2),
			 "/p: the back-end does not answer (/run/s): the container goes on");
	cr_expect_str_eq(told(0), "vmm did not answer: the container goes on");
	cr_expect_str_eq(told(3), "vmm did not answer: the container goes on");
	cr_expect_str_eq(told(1ULL << 32 | 1), "vmm did not answer: the container goes on");
	pause_it();
}

Test(pause, what_is_not_on_file_is_taken_back)
{
	close(s.dir);
	s.dir = -1;
	cr_assert_eq(ask(pause_begin), 0);
	cr_assert_eq(asked(), CTL_PAUSE);
	answer(0);
	cr_expect_eq(answered(), EBADF);
	cr_expect_eq(asked(), CTL_RESUME);
	answer(0);
	cr_expect_eq(s.state->status, STATE_RUNNING);
}

/* The guest runs only when the file says so, and stays paused when that cannot be written. */
Test(pause, a_resume_that_is_not_on_file_has_no_effect)
{
	const int dir = s.dir;

	pause_it();
	s.dir = -1;
	cr_expect_eq(ask(pause_end), -EBADF);
	cr_expect_eq(asked(), 0);
	cr_expect_eq(s.state->status, STATE_PAUSED);
	s.dir = dir;
	cr_assert_eq(ask(pause_end), 0);
	cr_assert_eq(asked(), CTL_RESUME);
	answer(EBUSY);
	cr_expect_eq(answered(), EBUSY);
	cr_expect_eq(s.state->status, STATE_PAUSED);
	cr_assert_eq(ask(pause_end), 0);
	answer(0);
	cr_expect_eq(s.state->status, STATE_RUNNING);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor whose balloon is a socket in the test's hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/plan/plan.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/balloon.h"

#define NR_PROCS 2 /* the VMM, balloon0 */

static struct plan_proc procs[NR_PROCS];
static struct plan plan = {.nr_procs = NR_PROCS, .proc = procs};
static const struct launch wanted = {.plan = &plan};
static struct supervisor s;
static int device, client; /* the other ends */
static struct err err;

static void setup(void)
{
	const struct balloon_settings settings = {.size_bytes = 4096, .deflate_on_oom = 1};
	int pair[2];

	s = (struct supervisor){.stage = STAGE_RUNNING, .nr = NR_PROCS, .launch = &wanted};
	s.state = calloc(1, sizeof(*s.state));
	s.log.fd = -1;
	procs[1].kind = &kind_table[KIND_BALLOON];
	plan_set_settings(&procs[1], &settings, sizeof(settings));
	spawned_init(&s.proc[0]);
	spawned_init(&s.proc[1]);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	s.proc[1].control = pair[0];
	device = pair[1];
}

TestSuite(balloon_ask, .init = setup);

/* Asks as a client does; what the device is asked */
static struct ctl_msg ask(enum request_op op, uint32_t arg, uint64_t value)
{
	const struct request q = {.op = op, .arg = arg, .value = value};
	struct ctl_msg m;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	client = pair[0];
	cr_assert_eq(balloon_ask(&s, &q, pair[1], &err), 0, "%s", err.msg);
	cr_assert_eq(ctl_recv(device, &m), 1);
	return m;
}

/* The device answers; what the client hears */
static struct reply answer(uint32_t code, uint64_t value)
{
	struct ctl_msg m = {.type = CTL_DONE, .code = code, .value = {value}, .text = "why"};
	struct reply r;

	ask_answered(&s, &s.proc[1], &m);
	cr_assert_eq(recv(client, &r, sizeof(r), 0), sizeof(r));
	return r;
}

static uint64_t planned_bytes(void)
{
	struct balloon_settings settings;

	plan_settings(&procs[1], &settings, sizeof(settings));
	cr_assert_eq(settings.deflate_on_oom, 1);
	return settings.size_bytes;
}

Test(balloon_ask, a_size_that_was_set_is_kept_for_a_balloon_started_again)
{
	struct ctl_msg m = ask(REQUEST_BALLOON, CTL_BALLOON_SET, 8192);
	struct reply r;

	cr_assert(m.type == CTL_BALLOON && m.code == CTL_BALLOON_SET && m.arg == 8192);
	cr_assert_eq(planned_bytes(), 4096, "before it is set");
	r = answer(0, 8192);
	cr_assert(r.code == 0 && r.value[CTL_BALLOON_TARGET] == 8192);
	cr_assert_eq(planned_bytes(), 8192);
}

Test(balloon_ask, a_size_that_was_refused_is_not)
{
	struct reply r;

	(void)ask(REQUEST_BALLOON, CTL_BALLOON_SET, 1);
	r = answer(EINVAL, 1);
	cr_assert_eq(r.code, EINVAL);
	cr_assert_str_eq(r.text, "why");
	cr_assert_eq(planned_bytes(), 4096);
}

Test(balloon_ask, statistics_are_passed_on)
{
	const struct ctl_msg m = ask(REQUEST_BALLOON_STATS, 1, 0);
	struct reply r;

	cr_assert(m.type == CTL_BALLOON_STATS && m.code == 1);
	r = answer(0, 99);
	cr_assert(r.code == 0 && r.value[0] == 99);
	cr_assert_eq(planned_bytes(), 4096);
}

Test(balloon_ask, without_a_balloon_it_says_so)
{
	const struct request q = {.op = REQUEST_BALLOON};

	procs[1].kind = &kind_table[KIND_RNG];
	cr_assert_eq(balloon_ask(&s, &q, -1, &err), -ENODEV);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/ctl.h"
#include "vmm/control.h"

static struct machine m;
static int supervisor;

static void setup(void)
{
	struct err err;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	supervisor = pair[0];
	m = (struct machine){.control = pair[1], .end_fd = eventfd(0, 0), .started = true};
	cr_assert_eq(loop_init(&m.loop, &err), 0);
	cr_assert_eq(control_watch(&m, &err), 0);
}

TestSuite(control, .init = setup, .timeout = 20);

static void hears(enum ctl_type type)
{
	struct err err;

	cr_assert_eq(ctl_send(supervisor, type, 0, 0, NULL), 0);
	cr_assert_eq(loop_once(&m.loop, 1000, &err), 0);
}

static uint32_t answer(void)
{
	struct ctl_msg a = {0};

	cr_assert_eq(ctl_recv(supervisor, &a), 1, "no answer");
	cr_assert_eq(a.type, CTL_DONE);
	return a.code;
}

/* The supervisor gives a pause up that takes too long: both messages are on their way when it fails. */
Test(control, a_pause_that_failed_may_be_given_up)
{
	hears(CTL_PAUSE); /* no vCPU of this machine can leave */
	cr_expect_eq(answer(), EBUSY);
	hears(CTL_RESUME);
	cr_expect_not(m.loop.stop, "the VMM ends");
	cr_expect_eq(answer(), 0);
}

Test(control, what_is_out_of_place_ends_the_vmm)
{
	hears(CTL_START);
	cr_expect(m.loop.stop);
	cr_expect_eq(m.control_rc, -EPROTO);
}

/* The command line comes in pieces; each says where it goes, and the start how long all of it is. */
Test(control, pieces_of_a_command_line_have_their_order)
{
	static const struct {
		enum ctl_type type;
		uint64_t arg;
	} bad[] = {{CTL_CMDLINE, 1}, {CTL_CMDLINE, 7}, {CTL_START, 5}, {CTL_START, 7}};
	struct err err;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		setup();
		m.started = false;
		cr_assert_eq(ctl_send(supervisor, CTL_CMDLINE, 0, 0, "quiet "), 0);
		cr_assert_eq(loop_once(&m.loop, 1000, &err), 0);
		cr_assert_not(m.loop.stop);
		cr_assert_eq(ctl_send(supervisor, bad[i].type, 0, bad[i].arg, "x"), 0);
		cr_assert_eq(loop_once(&m.loop, 1000, &err), 0);
		cr_expect(m.loop.stop, "row %u", i);
		cr_expect_eq(m.control_rc, -EPROTO);
	}
}

Test(control, a_command_line_has_an_end)
{
	char text[ERR_MSG_BYTES];
	uint64_t len = 0;
	struct err err;

	m.started = false;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	while (!m.loop.stop && len < 2 * sizeof(m.more_cmdline)) {
		cr_assert_eq(ctl_send(supervisor, CTL_CMDLINE, 0, len, text), 0);
		cr_assert_eq(loop_once(&m.loop, 1000, &err), 0);
		len += sizeof(text) - 1;
	}
	cr_expect(m.loop.stop);
	cr_expect_lt(strlen(m.more_cmdline), sizeof(m.more_cmdline));
	cr_expect_geq(len, sizeof(m.more_cmdline));
}

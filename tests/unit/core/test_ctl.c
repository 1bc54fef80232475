/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/ctl.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"

static int pair[2];

static void setup(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

TestSuite(ctl, .init = setup);

Test(ctl, messages_travel_whole)
{
	char text[2 * ERR_MSG_BYTES];
	struct ctl_msg m;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(ctl_send(pair[0], CTL_FAILED, ENOENT, 42, "no such disk"), 0);
	cr_assert_eq(ctl_send(pair[0], CTL_PHASE, 0, 1, text), 0);
	cr_assert_eq(ctl_send(pair[0], CTL_READY, 0, 0, NULL), 0);
	cr_assert_eq(ctl_recv(pair[1], &m), 1);
	cr_assert_eq(m.type, CTL_FAILED);
	cr_assert_eq(m.code, ENOENT);
	cr_assert_eq(m.arg, 42);
	cr_assert_str_eq(m.text, "no such disk");
	cr_assert_eq(ctl_recv(pair[1], &m), 1);
	cr_assert_eq(strlen(m.text), ERR_MSG_BYTES - 1U, "a long text is cut");
	cr_assert_eq(ctl_recv(pair[1], &m), 1);
	cr_assert_str_eq(m.text, "");
	close(pair[0]);
	cr_assert_eq(ctl_recv(pair[1], &m), 0);
}

Test(ctl, a_mac_fits_into_an_argument)
{
	static const uint8_t mac[6] = {0x02, 0xff, 0, 0x80, 0x7f, 0x01};
	uint8_t back[6] = {0};

	cr_assert_eq(ctl_mac(mac), 0x02ff00807f01);
	cr_assert(ctl_mac_of(ctl_mac(mac), back));
	cr_assert(!memcmp(mac, back, sizeof(mac)));
	cr_assert(!ctl_mac_of(1ULL << 48, back));
	cr_assert(!memcmp(mac, back, sizeof(mac)), "the output was touched");
}

Test(ctl, bad_messages_are_refused)
{
	struct ctl_msg good = {.type = CTL_READY}, bad, ret = {.code = 77};
	char long_one[sizeof(good) + 1] = {CTL_READY};

	bad = good;
	bad.type = 0;
	cr_assert_eq(fd_send(pair[0], &bad, sizeof(bad), NULL, 0), 0);
	bad.type = CTL_TYPES;
	cr_assert_eq(fd_send(pair[0], &bad, sizeof(bad), NULL, 0), 0);
	bad = good;
	memset(bad.text, 'x', sizeof(bad.text));
	cr_assert_eq(fd_send(pair[0], &bad, sizeof(bad), NULL, 0), 0);
	cr_assert_eq(fd_send(pair[0], &good, sizeof(good) - 1, NULL, 0), 0);
	cr_assert_eq(fd_send(pair[0], long_one, sizeof(long_one), NULL, 0), 0);
	cr_assert_eq(fd_send(pair[0], &good, sizeof(good), pair, 2), 0);
	for (int i = 0; i < 6; i++)
		cr_assert_eq(ctl_recv(pair[1], &ret), -EPROTO, "message %d", i);
	cr_assert_eq(ret.code, 77, "the output was touched");
}

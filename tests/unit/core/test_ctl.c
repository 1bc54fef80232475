/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/ctl.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

Test(ctl, a_file_comes_with_a_message)
{
	const struct ctl_msg m = {.type = CTL_START, .code = 1, .arg = 2, .value = {3, [11] = 4}};
	struct ctl_msg ret;
	int file[2], fd = -77;
	char byte;

	cr_assert_eq(pipe2(file, O_CLOEXEC), 0);
	cr_assert_eq(ctl_send_whole(pair[0], &m, file[1]), 0);
	cr_assert_eq(ctl_send_whole(pair[0], &m, -1), 0);
	cr_assert_eq(ctl_recv_fd(pair[1], &ret, &fd), 1);
	cr_expect_eq(memcmp(&m, &ret, sizeof(m)), 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(write(fd, "x", 1), 1);
	cr_assert_eq(read(file[0], &byte, 1), 1);
	close(fd);
	close(file[1]);
	cr_expect_eq(read(file[0], &byte, 1), 0, "a copy of the file is left");
	cr_assert_eq(ctl_recv_fd(pair[1], &ret, &fd), 1);
	cr_expect_eq(fd, -1);
	close(pair[0]);
	cr_expect_eq(ctl_recv_fd(pair[1], &ret, &fd), 0);
}

/* Neither message nor files reach the caller; the files are closed */
Test(ctl, files_of_a_bad_message_are_closed)
{
	const struct ctl_msg good = {.type = CTL_START};
	struct ctl_msg bad = {.type = CTL_TYPES}, ret = {.code = 77};
	int file[2], two[2], fd = -77;
	char byte;

	cr_assert_eq(pipe2(file, O_CLOEXEC), 0);
	two[0] = two[1] = file[1];
	cr_assert_eq(ctl_send_whole(pair[0], &bad, file[1]), 0);
	cr_assert_eq(fd_send(pair[0], &good, sizeof(good), two, 2), 0);
	cr_assert_eq(fd_send(pair[0], &good, sizeof(good) - 1, two, 1), 0);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(ctl_recv_fd(pair[1], &ret, &fd), -EPROTO, "message %d", i);
	cr_expect(ret.code == 77 && fd == -77, "the outputs were touched");
	close(file[1]);
	cr_expect_eq(read(file[0], &byte, 1), 0, "a copy of the file is left");
}

Test(ctl, an_answer_has_the_values_of_its_request)
{
	struct ctl_msg m = {.type = CTL_NET, .arg = 7, .value = {8, 9}}, ret;
	struct err err = {0};

	cr_assert_eq(ctl_answer(pair[0], &m, 0, &err), 0);
	cr_assert_eq(ctl_recv(pair[1], &ret), 1);
	cr_expect(ret.type == CTL_DONE && ret.code == 0 && ret.arg == 0 && ret.text[0] == '\0');
	cr_expect(ret.value[0] == 8 && ret.value[1] == 9);
	err_text(&err, EBUSY, "in use");
	cr_assert_eq(ctl_answer(pair[0], &m, -EBUSY, &err), 0);
	cr_assert_eq(ctl_recv(pair[1], &ret), 1);
	cr_expect_eq(ret.code, EBUSY);
	cr_expect_str_eq(ret.text, "in use");
}

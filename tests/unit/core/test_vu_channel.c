/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a back-end sends unasked: to which end, and what it does when no peer listens
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/support/vu_backend_rig.h"

TestSuite(vu_channel, .init = setup);

#define CHANNEL (1ULL << 5)
#define CONFIG	(1ULL << 9)

static int open_fds(void)
{
	int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* Agrees on protocol features, REPLY_ACK among them, and hands a channel over; our end */
static int hand_over(uint64_t protocol, uint64_t want)
{
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, protocol | 1 << 3);
	vup_send(sock, VUP_SET_BACKEND_REQ_FD, VUP_NEED_REPLY, NULL, 0, &sv[1], 1);
	close(sv[1]);
	cr_assert_eq(ack(VUP_SET_BACKEND_REQ_FD), want);
	return sv[0];
}

static bool told(int channel)
{
	struct vup_msg m;

	if (!vup_recv(channel, &m))
		return false;
	cr_expect_eq(m.request, VUP_BACKEND_CONFIG_CHANGE);
	cr_expect_eq(m.flags, 1, "no answer is asked for");
	cr_expect_eq(m.bytes, 0);
	return true;
}

Test(vu_channel, says_that_its_config_changed)
{
	int channel = hand_over(CHANNEL | CONFIG, 0);

	cr_expect_not(told(channel));
	device_config_changed(&dev);
	cr_expect(told(channel));
	cr_expect_not(told(channel), "once");
	vup_empty(sock, VUP_RESET_DEVICE, 0);
	cr_assert_not(pump(), "RESET_DEVICE before SET_OWNER ends the connection");
	cr_expect(vup_gone(channel), "and its channel");
	device_config_changed(&dev);
}

Test(vu_channel, says_nothing_to_those_who_did_not_agree)
{
	static const uint64_t protocol[] = {CHANNEL, 0, CONFIG};

	device_config_changed(&dev);
	for (size_t i = 0; i < ARRAY_SIZE(protocol); i++) {
		int channel = hand_over(protocol[i], !(protocol[i] & CHANNEL));

		device_config_changed(&dev);
		cr_expect_not(told(channel), "row %zu", i);
		cr_expect_eq(vup_gone(channel), i > 0, "row %zu", i);
		close(channel);
	}
}

Test(vu_channel, agrees_on_its_channel_afterwards_and_takes_another)
{
	int first = hand_over(CHANNEL, 0), second;

	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, CHANNEL | CONFIG | 1 << 3);
	cr_assert(pump());
	device_config_changed(&dev);
	cr_expect(told(first));
	second = hand_over(CHANNEL | CONFIG, 0);
	cr_expect(vup_gone(first));
	device_config_changed(&dev);
	cr_expect(told(second));
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, CHANNEL | 1 << 3);
	cr_assert(pump());
	device_config_changed(&dev);
	cr_expect_not(told(second));
}

Test(vu_channel, a_channel_that_is_full_or_broken_is_the_front_ends_loss)
{
	int before = open_fds(), channel = hand_over(CHANNEL | CONFIG, 0), file;
	unsigned int heard = 0;

	for (unsigned int i = 0; i < 100000; i++)
		device_config_changed(&dev);
	while (told(channel))
		heard++;
	cr_expect(heard > 0 && heard < 100000, "%u", heard);
	device_config_changed(&dev);
	cr_expect(told(channel), "there is room again");
	close(channel);
	device_config_changed(&dev);
	device_config_changed(&dev);
	cr_assert(pump());
	/* What is no socket is taken, and of no use. */
	file = memfd_create("file", MFD_CLOEXEC);
	vup_send(sock, VUP_SET_BACKEND_REQ_FD, VUP_NEED_REPLY, NULL, 0, &file, 1);
	cr_assert_eq(ack(VUP_SET_BACKEND_REQ_FD), 0);
	device_config_changed(&dev);
	cr_expect_eq(lseek(file, 0, SEEK_END), 0);
	close(file);
	vu_backend_done(&backend);
	vu_backend_done(&backend);
	cr_expect_eq(open_fds(), before, "fds leaked");
	device_config_changed(&dev);
}

Test(vu_channel, the_next_front_end_has_no_channel_of_the_last_one)
{
	int channel = hand_over(CHANNEL | CONFIG, 0);

	vu_backend_done(&backend);
	cr_expect(vup_gone(channel));
	connect_peer();
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, CHANNEL | CONFIG);
	cr_assert(pump());
	device_config_changed(&dev);
}

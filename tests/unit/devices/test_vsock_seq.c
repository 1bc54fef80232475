/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the vsock device: seqpacket connections */
#include "tests/support/vsock_rig.h"

TestSuite(vsock_seq, .init = setup, .fini = teardown);

static void say_part(const void *payload, uint32_t len, bool end)
{
	struct virtio_vsock_hdr h = packet(OP(RW), 1000, 80);

	h.type = SEQ;
	h.len = len;
	h.flags = end ? VIRTIO_VSOCK_SEQ_EOM : 0;
	send_packet(&h, payload);
}

static ssize_t message(int fd, void *buf, size_t bytes)
{
	cr_assert(dev_child_wait(fd), "no message");
	return recv(fd, buf, bytes, MSG_TRUNC);
}

Test(vsock_seq, messages_keep_their_borders)
{
	int end = connected(1000, 80, SEQ);
	char buf[64];

	say_part("one", 3, true);
	say_part("two", 3, true);
	say_part("th", 2, false);
	say_part("re", 2, false);
	say_part("e", 1, true);
	cr_assert_eq(message(end, buf, sizeof(buf)), 3);
	cr_assert_eq(message(end, buf, sizeof(buf)), 3);
	cr_assert_eq(message(end, buf, sizeof(buf)), 5);
	cr_assert(memcmp(buf, "three", 5) == 0);
}

Test(vsock_seq, the_hosts_messages_keep_theirs)
{
	static uint8_t large[10000];
	int end = connected(1000, 80, SEQ);
	struct virtio_vsock_hdr h;

	for (unsigned int i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 7);
	cr_assert_eq(send(end, "one", 3, 0), 3);
	cr_assert_eq(send(end, large, sizeof(large), 0), (ssize_t)sizeof(large));
	cr_assert_eq(send(end, "two", 3, 0), 3);
	h = expect(OP(RW), 1000, 80);
	cr_assert(h.len == 3 && h.flags == VIRTIO_VSOCK_SEQ_EOM && h.type == SEQ);
	for (uint32_t at = 0; at < sizeof(large); at += h.len) {
		h = expect(OP(RW), 1000, 80);
		cr_assert(memcmp(data, large + at, h.len) == 0);
		cr_assert_eq(h.flags == VIRTIO_VSOCK_SEQ_EOM, at + h.len == sizeof(large));
	}
	h = expect(OP(RW), 1000, 80);
	cr_assert(h.len == 3 && h.flags == VIRTIO_VSOCK_SEQ_EOM && memcmp(data, "two", 3) == 0);
}

Test(vsock_seq, a_message_waits_half_way_for_credit)
{
	int end = connected(1000, 80, SEQ);
	struct virtio_vsock_hdr h;

	alloc = 8;
	say(OP(RST), 1, 1); /* nothing: a packet for no connection */
	h = packet(OP(CREDIT_UPDATE), 1000, 80);
	h.type = SEQ;
	send_packet(&h, NULL);
	cr_assert_eq(send(end, "123456", 6, 0), 6);
	cr_assert_eq(send(end, "abcdef", 6, 0), 6);
	cr_assert_eq(expect(OP(RW), 1000, 80).flags, VIRTIO_VSOCK_SEQ_EOM);
	h = expect(OP(RW), 1000, 80);
	cr_assert(h.len == 2 && h.flags == 0 && memcmp(data, "ab", 2) == 0);
	cr_assert(silent());
	h = packet(OP(CREDIT_UPDATE), 1000, 80);
	h.type = SEQ;
	h.fwd_cnt = 6;
	send_packet(&h, NULL);
	h = expect(OP(RW), 1000, 80);
	cr_assert(h.len == 4 && h.flags == VIRTIO_VSOCK_SEQ_EOM && memcmp(data, "cdef", 4) == 0);
}

Test(vsock_seq, a_message_that_the_guest_can_never_take_resets)
{
	int end = connected(1000, 80, SEQ);
	struct virtio_vsock_hdr h = packet(OP(CREDIT_UPDATE), 1000, 80);

	h.type = SEQ;
	h.buf_alloc = 8;
	send_packet(&h, NULL);
	cr_assert_eq(send(end, "123456789", 9, 0), 9);
	expect(OP(RST), 1000, 80);
	cr_assert(message(end, &h, 1) <= 0);
}

Test(vsock_seq, messages_that_no_one_reads_keep_their_borders_too)
{
	int end = connected(1000, 80, SEQ);
	static uint8_t buf[5000];
	uint32_t sent = 0, left = 200000, got = 0;

	/* From one byte to thousands, more than the socket takes */
	while (left > 0) {
		uint32_t len = 1 + sent * 37 % 4999;

		len = len < left ? len : left;
		memset(buf, (int)(sent & 0xff), len);
		say_part(buf, len, true);
		left -= len;
		sent++;
	}
	for (left = 200000; left > 0; got++) {
		uint32_t len = 1 + got * 37 % 4999;

		len = len < left ? len : left;
		cr_assert_eq(message(end, buf, sizeof(buf)), len, "message %u", got);
		cr_assert_eq(buf[len - 1], got & 0xff);
		left -= len;
	}
	cr_assert_eq(got, sent);
}

Test(vsock_seq, half_a_message_is_not_passed_on)
{
	int end = connected(1000, 80, SEQ);
	struct virtio_vsock_hdr h = packet(OP(SHUTDOWN), 1000, 80);
	char buf[8];

	say_part("whole", 5, true);
	say_part("half", 4, false);
	h.type = SEQ;
	h.flags = VIRTIO_VSOCK_SHUTDOWN_SEND;
	send_packet(&h, NULL);
	cr_assert_eq(message(end, buf, sizeof(buf)), 5);
	cr_assert_eq(message(end, buf, sizeof(buf)), 0);
}

Test(vsock_seq, a_packet_of_the_other_type_is_for_no_connection)
{
	int end = connected(1000, 80, SEQ);
	char buf[8];

	say_data(1000, 80, "x", 1);
	expect(OP(RST), 1000, 80);
	say_part("one", 3, true);
	cr_assert_eq(message(end, buf, sizeof(buf)), 3);
}

static void setup_without(void)
{
	leave = 1ULL << VIRTIO_VSOCK_F_SEQPACKET;
	setup();
}

Test(vsock_no_seq, a_driver_without_the_feature_has_streams_only, .init = setup_without,
     .fini = teardown)
{
	struct virtio_vsock_hdr h = packet(OP(REQUEST), 1000, 80);
	int end[2];

	h.type = SEQ;
	send_packet(&h, NULL);
	expect(OP(RST), 1000, 80);
	pair_of(SOCK_SEQPACKET, end);
	cr_assert_eq(order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN | CTL_VSOCK_SEQPACKET, 1, end[0]).code,
		     EPROTONOSUPPORT);
	connected(1000, 80, STREAM);
}

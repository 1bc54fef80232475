/* SPDX-License-Identifier: BSD-3-Clause */
/* Credit of the vsock device, and peers that do not read */
#include "devices/vsock/vsock_credit.h"

#include "tests/support/vsock_rig.h"

/* ---- the arithmetic ---- */

Test(vsock_credit, room_is_what_is_not_out)
{
	struct vsock_credit c = {.sent = 0};

	vsock_credit_heard(&c, 1000, 0);
	cr_assert_eq(vsock_credit_room(&c), 1000);
	c.sent = 600;
	cr_assert_eq(vsock_credit_room(&c), 400);
	vsock_credit_heard(&c, 1000, 500);
	cr_assert_eq(vsock_credit_room(&c), 900);
}

Test(vsock_credit, wraps)
{
	struct vsock_credit c = {.sent = 0xfffffff0, .guest_fwd = 0xffffff00, .guest_alloc = 0x200};

	cr_assert_eq(vsock_credit_room(&c), 0x110);
	c.sent += 0x110;
	cr_assert_eq(c.sent, 0x100);
	cr_assert_eq(vsock_credit_room(&c), 0);
	vsock_credit_heard(&c, 0x200, 0x80);
	cr_assert_eq(vsock_credit_room(&c), 0x180);
	c = (struct vsock_credit){.got = 0xfffffffe, .fwd = 0xfffffff0, .alloc = 100};
	cr_assert(!vsock_credit_take(&c, 87));
	cr_assert(vsock_credit_take(&c, 86));
	cr_assert_eq(c.got, 84);
	cr_assert(!vsock_credit_take(&c, 1));
	c.fwd += 100;
	cr_assert(vsock_credit_take(&c, 100));
}

Test(vsock_credit, a_buffer_that_shrinks_leaves_no_room)
{
	struct vsock_credit c = {.sent = 600, .guest_alloc = 1000};

	vsock_credit_heard(&c, 100, 0);
	cr_assert_eq(vsock_credit_room(&c), 0);
	vsock_credit_heard(&c, 0, 600);
	cr_assert_eq(vsock_credit_room(&c), 0);
	vsock_credit_heard(&c, UINT32_MAX, 600);
	cr_assert_eq(vsock_credit_room(&c), UINT32_MAX);
}

Test(vsock_credit, a_count_that_moves_back_or_past_what_was_sent_is_ignored)
{
	struct vsock_credit c = {.sent = 600, .guest_fwd = 500, .guest_alloc = 1000};

	vsock_credit_heard(&c, 1000, 400);
	cr_assert_eq(c.guest_fwd, 500);
	vsock_credit_heard(&c, 1000, 601);
	cr_assert_eq(c.guest_fwd, 500);
	vsock_credit_heard(&c, 1000, 600);
	cr_assert_eq(c.guest_fwd, 600);
}

Test(vsock_credit, no_count_gives_more_room_than_the_buffer_has)
{
	static const uint32_t odd[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

	for (unsigned int i = 0; i < ARRAY_SIZE(odd); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(odd); k++) {
			struct vsock_credit c = {.sent = odd[i], .guest_fwd = odd[i] - 10};

			vsock_credit_heard(&c, 4096, odd[k]);
			cr_assert_leq(vsock_credit_room(&c), 4096);
			cr_assert_leq(c.sent - c.guest_fwd, 10);
		}
	}
}

/* ---- the device ---- */

TestSuite(vsock_flow, .init = setup, .fini = teardown);

static uint8_t block[RX_BYTES * 16];

static void fill_block(void)
{
	for (unsigned int i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * 13 + i / 253);
}

/* Reads @bytes in all from @fd; false if they are not the repeated block */
static bool drains(int fd, uint64_t bytes)
{
	static uint8_t buf[sizeof(block)];
	uint64_t at = 0;

	while (at < bytes) {
		ssize_t n;

		cr_assert(dev_child_wait(fd), "%llu bytes came", (unsigned long long)at);
		n = recv(fd, buf, sizeof(buf), 0);
		cr_assert_gt(n, 0);
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != block[(at + (uint64_t)i) % sizeof(block)])
				return false;
		at += (uint64_t)n;
	}
	return at == bytes;
}

/* Sends until the guest has no credit left; our buffer is @alloc large and @fwd has left it, as we say */
static uint64_t send_all_credit(uint32_t guest, uint64_t sent, uint32_t of_alloc, uint32_t of_fwd)
{
	uint32_t room = of_alloc - ((uint32_t)sent - of_fwd);

	while (room > 0) {
		const uint32_t at = (uint32_t)(sent % sizeof(block));
		uint32_t len = room < sizeof(block) - at ? room : (uint32_t)sizeof(block) - at;

		say_data(guest, 80, block + at, len);
		sent += len;
		room -= len;
	}
	return sent;
}

/* Our promise now: the guest may ask for it */
static struct virtio_vsock_hdr promise(uint32_t guest)
{
	while (!silent())
		continue;
	say(OP(CREDIT_REQUEST), guest, 80);
	return expect(OP(CREDIT_UPDATE), guest, 80);
}

Test(vsock_flow, a_peer_that_does_not_read_gets_what_was_promised_and_no_more)
{
	int idle = connected(1000, 80, STREAM), busy = connected(1001, 80, STREAM);
	struct virtio_vsock_hdr h = promise(1000);
	uint64_t sent = 0;
	char buf[8];

	fill_block();
	for (unsigned int i = 0; i < 50; i++) {
		const uint64_t before = sent;

		sent = send_all_credit(1000, sent, h.buf_alloc, h.fwd_cnt);
		h = promise(1000);
		if (sent == before)
			break;
	}
	cr_assert_eq(sent - h.fwd_cnt, h.buf_alloc, "all credit is used");
	say_data(1001, 80, "others", 6);
	cr_assert_eq(recv(busy, buf, sizeof(buf), 0), 6, "go on");
	cr_assert(drains(idle, sent), "each byte, in order");
	settle();
	h = promise(1000);
	cr_assert_eq(h.fwd_cnt, (uint32_t)sent);
}

Test(vsock_flow, one_byte_more_than_promised_resets)
{
	int idle = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h = promise(1000);
	uint64_t sent = 0;

	fill_block();
	while (sent - h.fwd_cnt < h.buf_alloc) {
		sent = send_all_credit(1000, sent, h.buf_alloc, h.fwd_cnt);
		h = promise(1000);
	}
	say_data(1000, 80, "x", 1);
	expect(OP(RST), 1000, 80);
	(void)idle;
}

Test(vsock_flow, the_guest_hears_of_room_unasked_before_it_runs_out)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h = promise(1000);
	uint32_t told = 0;

	fill_block();
	for (unsigned int i = 0; i < 8; i++) {
		say_data(1000, 80, block, sizeof(block));
		cr_assert(drains(end, sizeof(block)));
		while (take_packet(&h)) {
			cr_assert_eq(h.op, OP(CREDIT_UPDATE));
			told = h.fwd_cnt;
		}
		cr_assert_leq((i + 1) * sizeof(block) - told, h.buf_alloc / 4);
	}
}

Test(vsock_flow, what_is_held_drains_after_the_guest_has_closed)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h = promise(1000);
	uint64_t sent;

	fill_block();
	sent = send_all_credit(1000, 0, h.buf_alloc, 0);
	h = promise(1000);
	sent = send_all_credit(1000, sent, h.buf_alloc, h.fwd_cnt);
	say_shutdown(1000, 80, 3);
	expect(OP(RST), 1000, 80);
	connected(1000, 80, STREAM);
	cr_assert(drains(end, sent));
	cr_assert(dev_child_wait(end));
	cr_assert_eq(recv(end, block, 1, 0), 0);
}

Test(vsock_flow, what_drains_gives_way_when_the_table_is_full)
{
	struct virtio_vsock_hdr h;
	uint64_t sent;
	int end = connected(1000, 80, STREAM);

	h = promise(1000);
	sent = send_all_credit(1000, 0, h.buf_alloc, 0);
	h = promise(1000);
	send_all_credit(1000, sent, h.buf_alloc, h.fwd_cnt);
	say_shutdown(1000, 80, 3);
	expect(OP(RST), 1000, 80);
	for (uint32_t i = 0; i < 200; i++)
		connected(3000 + i, 80, STREAM);
	say(OP(REQUEST), 4000, 80);
	expect(OP(RST), 4000, 80);
	while (recv(end, block, sizeof(block), MSG_DONTWAIT) > 0)
		continue;
	cr_assert_eq(recv(end, block, 1, 0), 0, "its end is closed");
}

Test(vsock_flow, the_guest_gets_what_it_has_room_for)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h;
	uint32_t got = 0;

	fill_block();
	alloc = 5000;
	say(OP(CREDIT_UPDATE), 1000, 80);
	cr_assert_eq(send(end, block, 12000, 0), 12000);
	while (got < 5000)
		got += expect(OP(RW), 1000, 80).len;
	cr_assert_eq(got, 5000);
	cr_assert(silent());
	fwd = 100;
	say(OP(CREDIT_UPDATE), 1000, 80);
	h = expect(OP(RW), 1000, 80);
	cr_assert_eq(h.len, 100);
	cr_assert(memcmp(data, block + 5000, 100) == 0);
	alloc = 10;
	say(OP(CREDIT_UPDATE), 1000, 80);
	fwd = 99999;
	say(OP(CREDIT_UPDATE), 1000, 80);
	cr_assert(silent(), "neither less room nor a lie lets more through");
	alloc = 100000;
	fwd = 5100;
	say(OP(CREDIT_UPDATE), 1000, 80);
	for (got = 0; got < 6900;)
		got += expect(OP(RW), 1000, 80).len;
	cr_assert_eq(got, 6900);
}

Test(vsock_flow, a_guest_without_credit_holds_up_no_other)
{
	int first = connected(1000, 80, STREAM), second = connected(1001, 80, STREAM);

	alloc = 0;
	say(OP(CREDIT_UPDATE), 1000, 80);
	cr_assert_eq(send(first, "x", 1, 0), 1);
	cr_assert_eq(send(second, "y", 1, 0), 1);
	expect(OP(RW), 1001, 80);
	cr_assert(silent());
	alloc = 1;
	say(OP(CREDIT_UPDATE), 1000, 80);
	expect(OP(RW), 1000, 80);
}

Test(vsock_flow, streams_have_their_turns)
{
	int end[4];
	unsigned int of[4] = {0};

	fill_block();
	for (uint32_t i = 0; i < 4; i++)
		end[i] = connected(1000 + i, 80, STREAM);
	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(send(end[i], block, 60000, 0), 60000);
	for (unsigned int i = 0; i < 40; i++)
		of[next_packet().dst_port - 1000]++;
	for (unsigned int i = 0; i < 4; i++)
		cr_assert_geq(of[i], 5, "stream %u", i);
}

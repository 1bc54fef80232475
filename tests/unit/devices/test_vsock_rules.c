/* SPDX-License-Identifier: BSD-3-Clause */
/* What a driver may not do to the vsock device, and each packet in each state */
#include "tests/support/vsock_rig.h"

TestSuite(vsock_rules, .init = setup, .fini = teardown);

static bool broken(unsigned int q)
{
	eventfd_t v;

	settle();
	return eventfd_read(error[q], &v) == 0;
}

/* A chain of any length to the device */
static void send_raw(const struct virtio_vsock_hdr *h, uint32_t bytes)
{
	const struct vqd_buf buf = {TX_GPA, bytes, false};

	memcpy(vqd_at(&mem, TX_GPA, HDR), h, HDR);
	vqd_add(&ring[TX], &buf, 1);
	eventfd_write(kick[TX], 1);
}

Test(vsock_rules, a_packet_without_a_whole_header_breaks_the_queue)
{
	const struct virtio_vsock_hdr h = packet(OP(REQUEST), 1, 80);

	send_raw(&h, HDR - 1);
	cr_assert(broken(TX));
}

Test(vsock_rules, a_packet_shorter_than_it_says_breaks_the_queue)
{
	struct virtio_vsock_hdr h = packet(OP(RW), 1, 80);

	h.len = 11;
	send_raw(&h, HDR + 10);
	cr_assert(broken(TX));
}

Test(vsock_rules, bytes_behind_a_packet_are_ignored)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h = packet(OP(RW), 1000, 80);
	char buf[8];

	h.len = 3;
	send_raw(&h, HDR + 10);
	cr_assert(dev_child_wait(end));
	cr_assert_eq(recv(end, buf, sizeof(buf), 0), 3);
	cr_assert(!broken(TX));
}

Test(vsock_rules, a_header_in_many_pieces_is_read_and_written)
{
	struct vqd_buf buf[HDR];
	struct virtio_vsock_hdr h = packet(OP(CREDIT_REQUEST), 1, 80);
	uint32_t head, len;

	for (unsigned int i = 0; i < HDR; i++)
		buf[i] = (struct vqd_buf){TX_GPA + i, 1, false};
	memcpy(vqd_at(&mem, TX_GPA, HDR), &h, HDR);
	vqd_add(&ring[TX], buf, HDR);
	eventfd_write(kick[TX], 1);
	expect(OP(RST), 1, 80);
	cr_assert(vqd_take(&ring[TX], &head, &len));
}

Test(vsock_rules, a_buffer_without_room_for_data_breaks_the_queue)
{
	const struct vqd_buf small = {RX_GPA, HDR, true};

	vqd_add(&ring[RX], &small, 1);
	for (unsigned int i = 0; i < BUFFERS; i++) {
		say(OP(CREDIT_REQUEST), 1, 80);
		expect(OP(RST), 1, 80);
	}
	cr_assert(!broken(RX));
	say(OP(CREDIT_REQUEST), 1, 80);
	cr_assert(broken(RX));
}

Test(vsock_rules, a_packet_of_another_guest_is_dropped)
{
	int end = connected(1000, 80, STREAM);
	struct virtio_vsock_hdr h = packet(OP(RW), 1000, 80);

	h.src_cid = CID + 1;
	h.len = 1;
	send_packet(&h, "x");
	h.op = OP(REQUEST);
	h.len = 0;
	send_packet(&h, NULL);
	h.op = OP(RST);
	send_packet(&h, NULL);
	cr_assert(silent());
	cr_assert_lt(recv(end, &h, 1, MSG_DONTWAIT), 0);
	cr_assert_eq(errno, EAGAIN);
}

Test(vsock_rules, a_packet_to_another_host_is_refused_in_its_name)
{
	struct virtio_vsock_hdr h = packet(OP(REQUEST), 1, 80);

	h.dst_cid = 7;
	send_packet(&h, NULL);
	cr_assert_eq(expect(OP(RST), 1, 80).src_cid, 7);
}

Test(vsock_rules, an_unknown_type_is_refused)
{
	struct virtio_vsock_hdr h = packet(OP(REQUEST), 1, 80);

	h.type = 3;
	send_packet(&h, NULL);
	cr_assert_eq(expect(OP(RST), 1, 80).type, 3);
}

/* ---- each packet in each state ---- */

enum where { NONE, ASKED, OFFERED, OPEN, WHERE };

/* Brings a connection into a state; its host port */
static uint32_t bring(enum where where, uint32_t guest)
{
	struct ctl_msg m;
	int end[2];

	switch (where) {
	case NONE: return 80;
	case ASKED:
		say(OP(REQUEST), guest, 80);
		hear(CTL_VSOCK_ASK);
		return 80;
	case OFFERED:
		pair_of(SOCK_STREAM, end);
		m = order(CTL_VSOCK_CONNECT, CTL_VSOCK_IN | CTL_VSOCK_OUT, guest, end[0]);
		expect(OP(REQUEST), guest, (uint32_t)m.value[0]);
		return (uint32_t)m.value[0];
	default: connected(guest, 80, STREAM); return 80;
	}
}

Test(vsock_rules, each_packet_in_each_state)
{
	/* R: refused by RST; -: silent; C: our credit; A: the supervisor is asked */
	static const char *const wanted[WHERE] = {
		[NONE] = "RAR-RRRRRR",
		[ASKED] = "RRR-RR--RR",
		[OFFERED] = "RR--RRRRRR",
		[OPEN] = "RRR----CRR",
	};
	static const uint16_t ops[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0xffff};
	uint32_t guest = 1000;

	for (unsigned int where = 0; where < WHERE; where++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++, guest++) {
			uint32_t host = bring(where, guest);
			char got = '-';
			struct virtio_vsock_hdr h;
			struct ctl_msg m;

			say(ops[i], guest, host);
			if (take_packet(&h))
				got = h.op == OP(RST) ? 'R' : h.op == OP(CREDIT_UPDATE) ? 'C' : '?';
			else if (recv(child.control, &m, sizeof(m), MSG_DONTWAIT) > 0)
				got = 'A';
			cr_expect_eq(got, wanted[where][i], "state %u, op %u: %c, not %c", where,
				     ops[i], got, wanted[where][i]);
			cr_assert(silent(), "state %u, op %u: a second packet", where, ops[i]);
		}
	}
}

Test(vsock_rules, a_guest_that_takes_no_packets_is_not_heard_for_ever)
{
	struct virtio_vsock_hdr h = packet(OP(RW), 1, 80);
	const struct vqd_buf buf = {TX_GPA, HDR, false};
	uint32_t head, len, used = 0, resets = 0;

	memcpy(vqd_at(&mem, TX_GPA, HDR), &h, HDR);
	/* Far more than there are buffers to answer into */
	for (unsigned int i = 0; i < 500; i++) {
		vqd_add(&ring[TX], &buf, 1);
		eventfd_write(kick[TX], 1);
		settle();
		if (!vqd_take(&ring[TX], &head, &len))
			break;
		used++;
	}
	cr_assert_eq(used, 256 + BUFFERS, "then it waits");
	while (take_packet(&h) || !silent())
		resets++;
	settle();
	cr_assert(vqd_take(&ring[TX], &head, &len), "and goes on");
	cr_assert_geq(resets, 256);
}

Test(vsock_init, refuses_what_is_no_vsock)
{
	static const struct vsock_settings bad[] = {
		{.cid = 2, .conns = 1},
		{.cid = 0xffffffff, .conns = 1},
		{.cid = 3, .conns = 0},
		{.cid = 3, .conns = VSOCK_CONNS_MAX + 1},
		{.cid = 3, .conns = 1, .reserved = 1},
	};
	static struct boot_dev r = {.name = "vsock0"};
	static struct device d;
	static struct loop loop;
	struct err err;

	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(device_init(&d, &vsock_device, &loop, &err), 0);
	cr_assert_lt(vsock_device.init(&d, &r, &err), 0, "no settings");
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		boot_set_settings(&r, &bad[i], sizeof(bad[i]));
		cr_assert_lt(vsock_device.init(&d, &r, &err), 0, "settings %u", i);
	}
	r.nr_res = 1;
	boot_set_settings(&r, &(struct vsock_settings){.cid = 3, .conns = 1},
			  sizeof(struct vsock_settings));
	cr_assert_lt(vsock_device.init(&d, &r, &err), 0);
	r.nr_res = 0;
	cr_assert_eq(vsock_device.init(&d, &r, &err), 0);
}

Test(vsock_init, takes_requests_of_its_own_only)
{
	static struct boot_dev r = {.name = "vsock0"};
	static struct device d;
	static struct loop loop;
	struct ctl_msg m = {.type = CTL_BALLOON, .arg = 80, .code = CTL_VSOCK_IN | CTL_VSOCK_OUT};
	struct err err;
	int fd = dup(0), none = -1;

	boot_set_settings(&r, &(struct vsock_settings){.cid = 3, .conns = 1},
			  sizeof(struct vsock_settings));
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(device_init(&d, &vsock_device, &loop, &err), 0);
	cr_assert_eq(vsock_device.init(&d, &r, &err), 0);
	cr_expect_eq(vsock_device.control(&d, &m, &fd, &err), -EPROTO);
	m.type = CTL_VSOCK_CONNECT;
	cr_expect_eq(vsock_device.control(&d, &m, &none, &err), -EPROTO, "no end of the host's");
	cr_expect_eq(vsock_device.control(&d, &m, &fd, &err), -ENOTCONN, "no driver");
	close(fd);
	device_done(&d);
}

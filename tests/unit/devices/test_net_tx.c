/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network device: sending, commands, pairs of queues, limits
 */
#include "tests/support/net_rig.h"

TestSuite(net_tx, .init = setup, .fini = teardown);

static uint8_t got[80000];

/* ---- transmit ---- */

Test(net_tx, transmits_what_the_guest_sends)
{
	struct virtio_net_hdr_v1 h = {.num_buffers = 7};

	start(0);
	for (uint32_t n = 14; n <= 65562; n = n * 3 + 1) {
		for (uint32_t i = 0; i < n; i++)
			*at(TX_GPA + HDR + i, 1) = (uint8_t)(i * 5 + n);
		transmit(&h, n);
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + n);
		cr_assert_eq(memcmp(got + HDR, at(TX_GPA + HDR, n), n), 0, "%u bytes", n);
		cr_assert_eq(got[10] | got[11], 0, "num_buffers is not the driver's");
	}
}

Test(net_tx, header_and_frame_in_pieces_of_any_size)
{
	struct vqd_buf buf[40];
	static const uint8_t pieces[] = {1, 3, 7, 2, 5};
	uint64_t gpa = TX_GPA;

	start(0);
	for (uint32_t i = 0; i < 200; i++)
		*at(TX_GPA + i, 1) = i < HDR ? 0 : (uint8_t)i;
	for (unsigned int i = 0; i < 40; i++) {
		buf[i] = (struct vqd_buf){gpa, pieces[i % 5], false};
		gpa += buf[i].len;
	}
	vqd_add(&ring[1], buf, 40);
	eventfd_write(kick[1], 1);
	cr_assert_eq(sent(0, true, got, sizeof(got)), gpa - TX_GPA);
	cr_assert_eq(memcmp(got + HDR, at(TX_GPA + HDR, 130), gpa - TX_GPA - HDR), 0);
}

/* The longest chain there is, by way of one call of writev(); and one piece more than that takes */
Test(net_tx, a_frame_in_more_pieces_than_the_kernel_takes_goes_nowhere)
{
	static struct vqd_buf buf[VQ_SIZE_MAX];

	start(0);
	memset(at(TX_GPA, 2 * VQ_SIZE_MAX), 0, 2 * VQ_SIZE_MAX);
	for (uint32_t first = HDR; first <= HDR + 1; first++) {
		buf[0] = (struct vqd_buf){TX_GPA, first, false};
		for (unsigned int i = 1; i < VQ_SIZE_MAX; i++)
			buf[i] = (struct vqd_buf){TX_GPA + HDR + i, 1, false};
		vqd_add_indirect(&ring[1], buf, VQ_SIZE_MAX, CTRL_GPA);
		eventfd_write(kick[1], 1);
		cr_assert_eq(take(1), 0);
		cr_assert_eq(sent(0, false, got, sizeof(got)),
			     first == HDR ? (ssize_t)HDR + VQ_SIZE_MAX - 1 : -1);
	}
}

struct tx_case {
	const char *what;
	struct virtio_net_hdr_v1 h;
	uint32_t bytes;
	bool passes;
};

/* tests/unit/devices/test_vnet.c has more headers, and drivers with offloads */
static const struct tx_case tx_cases[] = {
	{"no frame", {0}, 0, false},
	{"a byte", {0}, 1, false},
	{"less than an Ethernet header", {0}, 13, false},
	{"an Ethernet header", {0}, 14, true},
	{"the largest", {0}, 65562, true},
	{"larger than the largest", {0}, 65563, false},
	{"much larger", {0}, 70000, false},
	{"a checksum to be made", {.flags = 1, .csum_start = 34, .csum_offset = 16}, 60, false},
	{"no checksum, bad offsets", {.csum_start = 0xffff, .csum_offset = 0xffff}, 60, true},
	{"flags that no driver has", {.flags = 0xfe}, 60, true},
	{"TSO", {.flags = 1, .gso_type = 1, .gso_size = 1448, .csum_start = 34}, 9000, false},
	{"header length of nonsense", {.hdr_len = 0xffff}, 60, true},
};

/* And not because of the policy, which would have killed it */
Test(net_tx, a_tap_that_is_none_refuses_offloads)
{
	settings.tun_flags = CSUM_TSO4;
	connect_device(VQD_F_EVENT_IDX);
	vqd_init(&ring[0], &mem, 64, RING_GPA, 0);
	vup_state(child.vmm, VUP_SET_VRING_NUM, 0, 0, 64);
	vup_addr(child.vmm, 0, 0, &ring[0]);
	kick[0] = eventfd(0, EFD_NONBLOCK);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 1);
}

Test(net_tx, frames_without_offloads_are_refused_or_passed)
{
	start(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(tx_cases); i++) {
		const struct tx_case *c = &tx_cases[i];

		transmit(&c->h, c->bytes);
		cr_assert_eq(sent(0, c->passes, got, sizeof(got)),
			     c->passes ? (ssize_t)(HDR + c->bytes) : -1, "%s", c->what);
	}
}

Test(net_tx, a_full_tap_is_waited_for)
{
	static const struct virtio_net_hdr_v1 h;
	unsigned int nr = 0, used = 0;
	uint32_t head, len;

	start(0);
	memset(at(TX_GPA, HDR), 0, HDR);
	for (unsigned int i = 0; i < 64; i++) {
		const struct vqd_buf buf = {TX_GPA, HDR + 30000, false};

		vqd_add(&ring[1], &buf, 1);
	}
	eventfd_write(kick[1], 1);
	settle();
	while (vqd_take(&ring[1], &head, &len))
		used++;
	cr_assert(used < 64, "the stand-in takes everything: the test tests nothing");
	/* Kicks meanwhile change nothing, and neither does a ring that stops and goes on. */
	eventfd_write(kick[1], 1);
	settle();
	for (; nr < 64; nr++)
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 30000);
	for (; used < 64; used++)
		cr_assert_eq(take(1), 0);
	transmit(&h, 60);
	cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 60);
}

Test(net_tx, a_ring_that_stops_while_the_tap_is_full_goes_on_where_it_was)
{
	struct vup_msg m;
	uint32_t base;

	start(0);
	memset(at(TX_GPA, HDR), 0, HDR);
	for (unsigned int i = 0; i < 64; i++) {
		const struct vqd_buf buf = {TX_GPA, HDR + 30000, false};

		vqd_add(&ring[1], &buf, 1);
	}
	eventfd_write(kick[1], 1);
	settle();
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, 1, 0);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	memcpy(&base, m.payload + 4, 4);
	cr_assert(base > 0 && base < 64, "%u", base);
	vup_mem_table(child.vmm, 0, &mem);
	for (unsigned int i = 0; i < base; i++)
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 30000);
	cr_assert_eq(sent(0, false, got, sizeof(got)), -1);
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, 1, base);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 1, kick[1]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	for (unsigned int i = base; i < 64; i++)
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 30000, "frame %u", i);
}

/* ---- control, pairs ---- */

static uint8_t command(unsigned int q, const void *bytes, uint32_t len)
{
	const struct vqd_buf buf[] = {{CTRL_GPA, len, false}, {CTRL_GPA + 0x1000, 1, true}};

	memcpy(at(CTRL_GPA, len), bytes, len);
	*at(CTRL_GPA + 0x1000, 1) = 0xa5;
	vqd_add(&ring[q], buf, 2);
	eventfd_write(kick[q], 1);
	cr_assert_eq(take(q), 1);
	return *at(CTRL_GPA + 0x1000, 1);
}

Test(net_tx, commands_are_carried_out_or_refused)
{
	static const struct {
		const char *bytes;
		uint32_t len;
		uint8_t ack;
	} cases[] = {
		{"\0\0\1", 3, VIRTIO_NET_OK},			      /* promiscuous */
		{"\0\1\0", 3, VIRTIO_NET_OK},			      /* all multicast */
		{"\0\0", 2, VIRTIO_NET_ERR},			      /* without its argument */
		{"\0\2\1", 3, VIRTIO_NET_ERR},			      /* RX_EXTRA */
		{"\1\0\0\0\0\0\0\0\0\0", 10, VIRTIO_NET_OK},	      /* two empty tables */
		{"\1\0\1\0\0\0abcdef\0\0\0\0", 16, VIRTIO_NET_OK},    /* one address */
		{"\1\0\2\0\0\0abcdef\0\0\0\0", 16, VIRTIO_NET_ERR},   /* two, it says */
		{"\1\0\xff\xff\xff\xff\0\0\0\0", 10, VIRTIO_NET_ERR}, /* many */
		{"\1\0\0\0\0\0", 6, VIRTIO_NET_ERR},		      /* one table */
		{"\1\1abcdef", 8, VIRTIO_NET_ERR},		      /* MAC_ADDR_SET */
		{"\4\0\1\0", 4, VIRTIO_NET_ERR},		      /* pairs, without MQ */
		{"\2\0\1\0", 4, VIRTIO_NET_ERR},		      /* VLAN */
		{"\xff\xff", 2, VIRTIO_NET_ERR},
	};

	start(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(command(2, cases[i].bytes, cases[i].len), cases[i].ack, "command %u",
			     i);
}

Test(net_tx, a_command_without_answer_breaks_the_ring)
{
	const struct vqd_buf buf = {CTRL_GPA, 3, false};

	start(0);
	vqd_add(&ring[2], &buf, 1);
	eventfd_write(kick[2], 1);
	cr_assert(dev_child_wait(error[2]));
}

Test(net_tx, the_driver_says_how_many_pairs_it_uses)
{
	static const struct virtio_net_hdr_v1 h;

	record(2);
	connect_device(VQD_F_EVENT_IDX);
	cr_assert(features & BIT(MQ));
	cr_assert_eq(config().max_virtqueue_pairs, 2);
	for (unsigned int q = 0; q < 5; q++)
		start_ring(q, 16);
	offer(0, 8, 2048);
	/* One pair until told otherwise: what the second queue of the TAP has comes by the first. */
	arrive(1, 99);
	cr_assert_eq(take(0), HDR + 99);
	cr_assert_eq(command(4, "\4\0\0\0", 4), VIRTIO_NET_ERR);
	cr_assert_eq(command(4, "\4\0\3\0", 4), VIRTIO_NET_ERR);
	cr_assert_eq(command(4, "\4\0\2\0", 4), VIRTIO_NET_OK);
	offer(2, 8, 2048);
	arrive(1, 98);
	cr_assert_eq(take(2), HDR + 98);
	arrive(0, 97);
	cr_assert_eq(take(0), HDR + 97);
	transmit(&h, 60);
	cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 60);
	vqd_add(&ring[3], &(struct vqd_buf){TX_GPA, HDR + 61, false}, 1);
	eventfd_write(kick[3], 1);
	cr_assert_eq(sent(1, true, got, sizeof(got)), HDR + 61);
	/* Back to one, with the second ring full of buffers: frames come by the first again. */
	cr_assert_eq(command(4, "\4\0\1\0", 4), VIRTIO_NET_OK);
	arrive(1, 96);
	cr_assert_eq(take(0), HDR + 96);
}

Test(net_tx, without_the_control_ring_enabled_pairs_are_used)
{
	record(2);
	connect_device(VQD_F_EVENT_IDX);
	for (unsigned int q = 0; q < 4; q++)
		start_ring(q, 16);
	offer(0, 8, 2048);
	offer(2, 8, 2048);
	arrive(1, 99);
	cr_assert_eq(take(2), HDR + 99);
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, 0, 2, 0);
	settle();
	arrive(1, 98);
	cr_assert_eq(take(0), HDR + 98);
}

/* ---- limits ---- */

Test(net_tx, what_is_over_a_limit_comes_later)
{
	static const struct virtio_net_hdr_v1 h;

	settings.from_guest = (struct net_rate){.packets_per_s = 1000, .burst_packets = 2};
	settings.to_guest = (struct net_rate){.bytes_per_s = 100000, .burst_bytes = 100};
	start(0);
	offer(0, 32, 2048);
	for (unsigned int i = 0; i < 20; i++) {
		arrive(0, 60 + i);
		transmit(&h, 60);
	}
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert_eq(take(0), HDR + 60 + i);
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 60);
	}
}

Test(net_tx, what_is_far_over_a_limit_does_not_come)
{
	settings.to_guest = (struct net_rate){.packets_per_s = 1, .burst_packets = 2};
	settings.from_guest = (struct net_rate){.bytes_per_s = 1, .burst_bytes = 1000};
	start(0);
	offer(0, 8, 2048);
	for (unsigned int i = 0; i < 3; i++)
		arrive(0, 60);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert(nothing_used(0));
	memset(at(TX_GPA, HDR), 0, HDR);
	for (unsigned int i = 0; i < 3; i++)
		vqd_add(&ring[1], &(struct vqd_buf){TX_GPA, HDR + 900, false}, 1);
	eventfd_write(kick[1], 1);
	cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 900);
	cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 900);
	cr_assert_eq(sent(0, false, got, sizeof(got)), -1);
}

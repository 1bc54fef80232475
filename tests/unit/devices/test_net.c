// SPDX-License-Identifier: BSD-3-Clause
/**
 * DOC: The network device in its process, under its policy, between a driver and a stand-in for a TAP
 *
 * The TAP is a socket pair that keeps the borders of messages. tests/guests/net.sh and
 * tests/interop/qemu_net.sh have real ones.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "tests/support/dev_child.h"
#include "tests/support/vu_peer.h"

extern const struct device_ops net_device;

#define BIT(f)	  (1ULL << VIRTIO_NET_F_##f)
#define HDR	  12U
#define RING_GPA  0x1000 /* a ring every 0x2000 */
#define RX_GPA	  0x20000
#define TX_GPA	  0x200000
#define CTRL_GPA  0x300000
#define RAM_BYTES 0x400000
#define RINGS	  5
#define CSUM_TSO4 0x3 /* TUN_F_CSUM, TUN_F_TSO4 */

static struct dev_child child;
static struct vqd_mem mem;
static struct vqd ring[RINGS];
static int tap[2][2]; /* pair; the device's end, ours */
static int kick[RINGS], call[RINGS], error[RINGS];
static struct boot_dev rec;
static uint64_t features;

/* ---- a front-end and a driver ---- */

static uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(child.bus) && vup_recv(child.bus, &m), "request %u", request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static void start_ring(unsigned int q, uint16_t size)
{
	vqd_init(&ring[q], &mem, size, RING_GPA + 0x2000 * q, features & VQD_F_EVENT_IDX);
	kick[q] = eventfd(0, EFD_NONBLOCK);
	call[q] = eventfd(0, EFD_NONBLOCK);
	error[q] = eventfd(0, EFD_NONBLOCK);
	vup_state(child.bus, VUP_SET_VRING_NUM, 0, q, size);
	vup_state(child.bus, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(child.bus, 0, q, &ring[q]);
	vup_fd(child.bus, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(child.bus, VUP_SET_VRING_ERR, 0, q, error[q]);
	vup_fd(child.bus, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick[q]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	vup_state(child.bus, VUP_SET_VRING_ENABLE, 0, q, 1);
}

/* Has the device carry out all that was sent before */
static void settle(void)
{
	vup_empty(child.bus, VUP_GET_QUEUE_NUM, 0);
	cr_assert_eq(answer(VUP_GET_QUEUE_NUM), rec.nr_res ? 2U * rec.nr_res + 1 : 3);
}

static void connect_device(uint64_t leave)
{
	static const struct vqd_piece pieces[] = {{0, RX_GPA + 0x8000},
						  {RX_GPA + 0x8000, RAM_BYTES - RX_GPA - 0x8000}};

	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, tap[i]), 0);
	cr_assert(dev_child_start(&child, &net_device, &rec, (int[]){tap[0][0], tap[1][0]},
				  "net_device"));
	for (unsigned int i = 0; i < 2; i++)
		close(tap[i][0]);
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	vup_empty(child.bus, VUP_GET_FEATURES, 0);
	features = answer(VUP_GET_FEATURES) & ~leave;
	vup_empty(child.bus, VUP_GET_PROTOCOL_FEATURES, 0);
	vup_u64(child.bus, VUP_SET_PROTOCOL_FEATURES, 0, answer(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(child.bus, VUP_SET_OWNER, 0);
	vup_u64(child.bus, VUP_SET_FEATURES, 0, features);
	vup_mem_table(child.bus, 0, &mem);
}

static void record(unsigned int pairs)
{
	rec = (struct boot_dev){.name = "net0", .type = "net", .nr_res = (uint16_t)pairs};
	memcpy(rec.net.mac, "\x02\x11\x22\x33\x44\x55", 6);
}

/* A device of one pair, rings of 64 */
static void start(uint64_t leave)
{
	connect_device(leave | VQD_F_EVENT_IDX);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 64);
}

static void setup(void)
{
	record(1);
}

static void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

TestSuite(net, .init = setup, .fini = teardown);

static uint8_t *at(uint64_t gpa, uint64_t bytes)
{
	return vqd_at(&mem, gpa, bytes);
}

/* Waits for the next used entry of ring @q; its length */
static uint32_t take(unsigned int q)
{
	uint32_t head, len;

	while (!vqd_take(&ring[q], &head, &len)) {
		eventfd_t v;

		cr_assert(dev_child_wait(call[q]), "no interrupt for ring %u", q);
		eventfd_read(call[q], &v);
	}
	return len;
}

static bool nothing_used(unsigned int q)
{
	uint32_t head, len;

	settle();
	return !vqd_take(&ring[q], &head, &len);
}

/* Offers @nr buffers of @bytes to receive into, one after the other from RX_GPA */
static void offer(unsigned int q, unsigned int nr, uint32_t bytes)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct vqd_buf buf = {RX_GPA + (uint64_t)i * bytes, bytes, true};

		vqd_add(&ring[q], &buf, 1);
	}
	eventfd_write(kick[q], 1);
	settle();
}

/* A frame as the TAP hands it out: a header, then bytes that tell where they are */
static uint8_t frame[80000];

static void arrive(unsigned int pair, uint32_t bytes)
{
	memset(frame, 0, HDR);
	for (uint32_t i = 0; i < bytes; i++)
		frame[HDR + i] = (uint8_t)(i * 7 + i / 251);
	cr_assert_eq(send(tap[pair][1], frame, HDR + bytes, 0), HDR + bytes);
}

static bool arrived_at(uint64_t gpa, uint32_t bytes, uint16_t buffers)
{
	struct virtio_net_hdr_v1 h;

	for (uint32_t i = 0; i < bytes; i++) {
		if (i == 0)
			memcpy(&h, at(gpa, HDR), HDR);
		if (*at(gpa + HDR + i, 1) != frame[HDR + i])
			return false;
	}
	return h.num_buffers == buffers;
}

/* What the device put on the TAP; its length, or -1 when it was nothing */
static ssize_t sent(unsigned int pair, bool wait, uint8_t *buf, size_t size)
{
	if (wait)
		cr_assert(dev_child_wait(tap[pair][1]), "nothing was sent");
	else
		settle();
	return recv(tap[pair][1], buf, size, MSG_DONTWAIT);
}

/* Sends a frame of @bytes behind @h as one buffer each; waits until the chain is used */
static void transmit(const struct virtio_net_hdr_v1 *h, uint32_t bytes)
{
	const struct vqd_buf buf[] = {{TX_GPA, HDR, false}, {TX_GPA + HDR, bytes, false}};

	memcpy(at(TX_GPA, HDR), h, HDR);
	vqd_add(&ring[1], buf, bytes ? 2 : 1);
	eventfd_write(kick[1], 1);
	cr_assert_eq(take(1), 0);
}

static uint8_t got[80000];

/* ---- what it says ---- */

static struct virtio_net_config config(void)
{
	struct virtio_net_config c = {0};
	struct vup_msg m;

	vup_config(child.bus, VUP_GET_CONFIG, 0, 0, 12, NULL);
	cr_assert(dev_child_wait(child.bus) && vup_recv(child.bus, &m));
	cr_assert_eq(m.bytes, 12 + 12);
	memcpy(&c, m.payload + 12, 12);
	return c;
}

Test(net, says_what_it_is)
{
	rec.net.mtu = 9000;
	rec.net.tun_flags = CSUM_TSO4;
	connect_device(0);
	cr_assert(features & BIT(MAC) && features & BIT(MTU) && features & BIT(STATUS));
	cr_assert(features & BIT(MRG_RXBUF) && features & BIT(CTRL_VQ) && features & BIT(CTRL_RX));
	cr_assert(features & BIT(CSUM) && features & BIT(GUEST_CSUM));
	cr_assert(features & BIT(HOST_TSO4) && features & BIT(GUEST_TSO4));
	cr_assert(!(features & BIT(HOST_TSO6)) && !(features & BIT(GUEST_TSO6)));
	cr_assert(!(features & BIT(MQ)) && !(features & 7ULL << 54));
	cr_assert_arr_eq(config().mac, rec.net.mac, 6);
	cr_assert_eq(config().mtu, 9000);
	cr_assert_eq(config().status, VIRTIO_NET_S_LINK_UP);
	cr_assert_eq(config().max_virtqueue_pairs, 1);
}

Test(net, without_a_tap_the_link_is_down_and_what_is_sent_goes_nowhere)
{
	static const struct virtio_net_hdr_v1 h;

	record(0);
	start(0);
	cr_assert_eq(config().status, 0);
	cr_assert(!(features & BIT(CSUM)));
	for (unsigned int i = 0; i < 100; i++)
		transmit(&h, 60);
	offer(0, 4, 2048);
	cr_assert(nothing_used(0));
}

/* ---- receive ---- */

Test(net, receives_in_order_and_in_place)
{
	start(0);
	offer(0, 4, 2048);
	for (unsigned int i = 0; i < 4; i++) {
		arrive(0, 60 + 400 * i);
		cr_assert_eq(take(0), HDR + 60 + 400 * i);
		cr_assert(arrived_at(RX_GPA + 2048 * i, 60 + 400 * i, 1), "frame %u", i);
	}
}

Test(net, a_large_frame_takes_as_many_buffers_as_it_needs)
{
	static const uint32_t sizes[] = {1489, 9000, 3000, 60, 60, 20000};
	uint64_t gpa = RX_GPA;

	start(0);
	offer(0, 40, 1500);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint32_t left = HDR + sizes[i], nr = (left + 1499) / 1500;

		arrive(0, sizes[i]);
		for (unsigned int k = 0; k < nr; k++, left -= 1500)
			cr_assert_eq(take(0), left < 1500 ? left : 1500, "frame %u", i);
		cr_assert(arrived_at(gpa, sizes[i], (uint16_t)nr), "frame %u", i);
		gpa += 1500 * nr;
	}
}

Test(net, the_largest_frame_fits_into_many_small_buffers)
{
	connect_device(VQD_F_EVENT_IDX);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 256);
	offer(0, 256, 257);
	arrive(0, 65000);
	for (unsigned int i = 0; i < 253; i++)
		cr_assert_eq(take(0), i < 252 ? 257 : 65012 - 252 * 257);
	cr_assert(arrived_at(RX_GPA, 65000, 253));
	cr_assert(nothing_used(0));
}

Test(net, without_mergeable_buffers_a_frame_has_one_or_is_lost)
{
	start(BIT(MRG_RXBUF));
	offer(0, 4, 2048);
	arrive(0, 2037); /* a byte too long */
	arrive(0, 2036);
	cr_assert_eq(take(0), 2048);
	cr_assert(arrived_at(RX_GPA, 2036, 1));
}

Test(net, waits_for_buffers_and_goes_on)
{
	start(0);
	for (unsigned int i = 0; i < 20; i++)
		arrive(0, 100 + i);
	settle();
	for (unsigned int i = 0; i < 20; i += 4) {
		offer(0, 4, 2048);
		for (unsigned int k = 0; k < 4; k++)
			cr_assert_eq(take(0), HDR + 100 + i + k);
		cr_assert(nothing_used(0));
	}
}

Test(net, waits_for_buffers_with_event_index)
{
	connect_device(0);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 8);
	for (unsigned int i = 0; i < 200; i++) {
		struct vqd_buf buf = {RX_GPA, 2048, true};
		uint32_t head, len;

		arrive(0, 100 + i);
		vqd_add(&ring[0], &buf, 1);
		/* Only where the device asks for it: one that is lost stops everything. */
		if (vqd_must_kick(&ring[0]))
			eventfd_write(kick[0], 1);
		vqd_set_used_event(&ring[0], ring[0].used_idx);
		while (!vqd_take(&ring[0], &head, &len)) {
			eventfd_t v;

			cr_assert(dev_child_wait(call[0]), "frame %u", i);
			eventfd_read(call[0], &v);
		}
		cr_assert_eq(len, HDR + 100 + i);
	}
}

Test(net, a_driver_that_never_has_room_loses_large_frames_only)
{
	start(0);
	offer(0, 2, 1600);
	arrive(0, 9000);
	arrive(0, 70);
	cr_assert_eq(take(0), HDR + 70);
	cr_assert(arrived_at(RX_GPA, 70, 1));
}

Test(net, a_buffer_smaller_than_a_header_breaks_the_ring)
{
	start(0);
	offer(0, 1, 11);
	arrive(0, 60);
	cr_assert(dev_child_wait(error[0]));
	cr_assert(nothing_used(0));
}

Test(net, flags_of_a_driver_without_checksums_are_zero)
{
	start(0);
	offer(0, 1, 2048);
	memset(frame, 0xff, HDR + 60);
	cr_assert_eq(send(tap[0][1], frame, HDR + 60, 0), HDR + 60);
	cr_assert_eq(take(0), HDR + 60);
	cr_assert_eq(*at(RX_GPA, 1), 0);
}

/* ---- transmit ---- */

Test(net, transmits_what_the_guest_sends)
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

Test(net, header_and_frame_in_pieces_of_any_size)
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

struct tx_case {
	const char *what;
	struct virtio_net_hdr_v1 h;
	uint32_t bytes;
	bool passes;
};

/* tests/unit/core/test_vnet.c has more headers, and drivers with offloads */
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
Test(net, a_tap_that_is_none_refuses_offloads)
{
	rec.net.tun_flags = CSUM_TSO4;
	connect_device(VQD_F_EVENT_IDX);
	vqd_init(&ring[0], &mem, 64, RING_GPA, 0);
	vup_state(child.bus, VUP_SET_VRING_NUM, 0, 0, 64);
	vup_addr(child.bus, 0, 0, &ring[0]);
	kick[0] = eventfd(0, EFD_NONBLOCK);
	vup_fd(child.bus, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 0, kick[0]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 1);
}

Test(net, frames_without_offloads_are_refused_or_passed)
{
	start(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(tx_cases); i++) {
		const struct tx_case *c = &tx_cases[i];

		transmit(&c->h, c->bytes);
		cr_assert_eq(sent(0, c->passes, got, sizeof(got)),
			     c->passes ? (ssize_t)(HDR + c->bytes) : -1, "%s", c->what);
	}
}

Test(net, a_full_tap_is_waited_for)
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

Test(net, a_ring_that_stops_while_the_tap_is_full_goes_on_where_it_was)
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
	vup_state(child.bus, VUP_GET_VRING_BASE, 0, 1, 0);
	cr_assert(dev_child_wait(child.bus) && vup_recv(child.bus, &m));
	memcpy(&base, m.payload + 4, 4);
	cr_assert(base > 0 && base < 64, "%u", base);
	vup_mem_table(child.bus, 0, &mem);
	for (unsigned int i = 0; i < base; i++)
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 30000);
	cr_assert_eq(sent(0, false, got, sizeof(got)), -1);
	vup_state(child.bus, VUP_SET_VRING_BASE, 0, 1, base);
	vup_fd(child.bus, VUP_SET_VRING_KICK, VUP_NEED_REPLY, 1, kick[1]);
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

Test(net, commands_are_carried_out_or_refused)
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

Test(net, a_command_without_answer_breaks_the_ring)
{
	const struct vqd_buf buf = {CTRL_GPA, 3, false};

	start(0);
	vqd_add(&ring[2], &buf, 1);
	eventfd_write(kick[2], 1);
	cr_assert(dev_child_wait(error[2]));
}

Test(net, the_driver_says_how_many_pairs_it_uses)
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

Test(net, without_the_control_ring_enabled_pairs_are_used)
{
	record(2);
	connect_device(VQD_F_EVENT_IDX);
	for (unsigned int q = 0; q < 4; q++)
		start_ring(q, 16);
	offer(0, 8, 2048);
	offer(2, 8, 2048);
	arrive(1, 99);
	cr_assert_eq(take(2), HDR + 99);
	vup_state(child.bus, VUP_SET_VRING_ENABLE, 0, 2, 0);
	settle();
	arrive(1, 98);
	cr_assert_eq(take(0), HDR + 98);
}

/* ---- limits ---- */

Test(net, what_is_over_a_limit_comes_later)
{
	static const struct virtio_net_hdr_v1 h;

	rec.net.from_guest = (struct boot_net_rate){.packets_per_s = 1000, .burst_packets = 2};
	rec.net.to_guest = (struct boot_net_rate){.bytes_per_s = 100000, .burst_bytes = 100};
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

Test(net, what_is_far_over_a_limit_does_not_come)
{
	rec.net.to_guest = (struct boot_net_rate){.packets_per_s = 1, .burst_packets = 2};
	rec.net.from_guest = (struct boot_net_rate){.bytes_per_s = 1, .burst_bytes = 1000};
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

/* ---- the end ---- */

Test(net, a_tap_that_goes_takes_the_link_down)
{
	static const struct virtio_net_hdr_v1 h;

	start(0);
	offer(0, 4, 2048);
	close(tap[0][1]);
	for (unsigned int i = 0; i < 100; i++)
		transmit(&h, 60);
	cr_assert_eq(config().status, 0);
	cr_assert(nothing_used(0));
}

Test(net, a_reset_device_starts_anew)
{
	start(0);
	offer(0, 4, 2048);
	vup_empty(child.bus, VUP_RESET_DEVICE, 0);
	arrive(0, 60);
	vup_u64(child.bus, VUP_SET_FEATURES, 0, features);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 32);
	offer(0, 4, 2048);
	cr_assert_eq(take(0), HDR + 60);
}

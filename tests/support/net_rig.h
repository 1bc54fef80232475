/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network device in its process, under its policy, between a driver and a stand-in for a TAP
 *
 * The TAP is a socket pair that keeps the borders of messages. tests/guests/net.sh and
 * tests/interop/qemu_net.sh have real ones.
 */
#ifndef VMRUN_TESTS_SUPPORT_NET_RIG_H
#define VMRUN_TESTS_SUPPORT_NET_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/settings.h"
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
static struct net_settings settings;
static uint64_t features;

/* ---- a front-end and a driver ---- */

static inline uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m), "request %u", request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static inline void start_ring(unsigned int q, uint16_t size)
{
	vqd_init(&ring[q], &mem, size, RING_GPA + 0x2000 * q, features & VQD_F_EVENT_IDX);
	kick[q] = eventfd(0, EFD_NONBLOCK);
	call[q] = eventfd(0, EFD_NONBLOCK);
	error[q] = eventfd(0, EFD_NONBLOCK);
	vup_state(child.vmm, VUP_SET_VRING_NUM, 0, q, size);
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(child.vmm, 0, q, &ring[q]);
	vup_fd(child.vmm, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(child.vmm, VUP_SET_VRING_ERR, 0, q, error[q]);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick[q]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, 0, q, 1);
}

/*
 * Has the device carry out all that was sent before. Two questions: to epoll a socket that has just been
 * read is ready until it looks again, so the first may be heard before a doorbell that was rung earlier,
 * but then in the same round.
 */
static inline void settle(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		vup_empty(child.vmm, VUP_GET_QUEUE_NUM, 0);
		cr_assert_eq(answer(VUP_GET_QUEUE_NUM), rec.nr_res ? 2U * rec.nr_res + 1 : 3);
	}
}

static inline void connect_device(uint64_t leave)
{
	static const struct vqd_piece pieces[] = {{0, RX_GPA + 0x8000},
						  {RX_GPA + 0x8000, RAM_BYTES - RX_GPA - 0x8000}};

	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, tap[i]), 0);
	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert(dev_child_start(&child, &net_device, &rec, (int[]){tap[0][0], tap[1][0]},
				  "net_device"));
	for (unsigned int i = 0; i < 2; i++)
		close(tap[i][0]);
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	vup_empty(child.vmm, VUP_GET_FEATURES, 0);
	features = answer(VUP_GET_FEATURES) & ~leave;
	vup_empty(child.vmm, VUP_GET_PROTOCOL_FEATURES, 0);
	vup_u64(child.vmm, VUP_SET_PROTOCOL_FEATURES, 0, answer(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(child.vmm, VUP_SET_OWNER, 0);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features);
	vup_mem_table(child.vmm, 0, &mem);
}

static inline void record(unsigned int pairs)
{
	rec = (struct boot_dev){.name = "net0", .type = "net", .nr_res = (uint16_t)pairs};
	settings = (struct net_settings){.mtu = 0};
	memcpy(settings.mac, "\x02\x11\x22\x33\x44\x55", 6);
}

/* A device of one pair, rings of 64 */
static inline void start(uint64_t leave)
{
	connect_device(leave | VQD_F_EVENT_IDX);
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q, 64);
}

static inline void setup(void)
{
	record(1);
}

static inline void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

static inline uint8_t *at(uint64_t gpa, uint64_t bytes)
{
	return vqd_at(&mem, gpa, bytes);
}

/* Waits for the next used entry of ring @q; its length */
static inline uint32_t take(unsigned int q)
{
	uint32_t head, len;

	while (!vqd_take(&ring[q], &head, &len)) {
		eventfd_t v;

		cr_assert(dev_child_wait(call[q]), "no interrupt for ring %u", q);
		eventfd_read(call[q], &v);
	}
	return len;
}

/* The next used entry of ring @q, which is there; interrupts are left to be counted */
static inline uint32_t take_now(unsigned int q)
{
	uint32_t head, len;

	cr_assert(vqd_take(&ring[q], &head, &len), "nothing in ring %u", q);
	return len;
}

static inline bool nothing_used(unsigned int q)
{
	uint32_t head, len;

	settle();
	return !vqd_take(&ring[q], &head, &len);
}

/* Offers @nr buffers of @bytes to receive into, one after the other from RX_GPA */
static inline void offer(unsigned int q, unsigned int nr, uint32_t bytes)
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

static inline void arrive(unsigned int pair, uint32_t bytes)
{
	memset(frame, 0, HDR);
	for (uint32_t i = 0; i < bytes; i++)
		frame[HDR + i] = (uint8_t)(i * 7 + i / 251);
	cr_assert_eq(send(tap[pair][1], frame, HDR + bytes, 0), HDR + bytes);
}

static inline bool arrived_at(uint64_t gpa, uint32_t bytes, uint16_t buffers)
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
static inline ssize_t sent(unsigned int pair, bool wait, uint8_t *buf, size_t size)
{
	if (wait)
		cr_assert(dev_child_wait(tap[pair][1]), "nothing was sent");
	else
		settle();
	return recv(tap[pair][1], buf, size, MSG_DONTWAIT);
}

/* Sends a frame of @bytes behind @h as one buffer each; waits until the chain is used */
static inline void transmit(const struct virtio_net_hdr_v1 *h, uint32_t bytes)
{
	const struct vqd_buf buf[] = {{TX_GPA, HDR, false}, {TX_GPA + HDR, bytes, false}};

	memcpy(at(TX_GPA, HDR), h, HDR);
	vqd_add(&ring[1], buf, bytes ? 2 : 1);
	eventfd_write(kick[1], 1);
	cr_assert_eq(take(1), 0);
}

static inline struct virtio_net_config config(void)
{
	struct virtio_net_config c = {0};
	struct vup_msg m;

	vup_config(child.vmm, VUP_GET_CONFIG, 0, 0, 12, NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	cr_assert_eq(m.bytes, 12 + 12);
	memcpy(&c, m.payload + 12, 12);
	return c;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The vsock device in its process, under its policy, between a driver and a stand-in for the supervisor
 *
 * The driver's side knows packets as virtio 1.3 section 5.10 has them, and nothing of the device's code.
 */
#ifndef VMRUN_TESTS_SUPPORT_VSOCK_RIG_H
#define VMRUN_TESTS_SUPPORT_VSOCK_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_vsock.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/ctl.h"
#include "devices/core/settings.h"
#include "tests/support/dev_child.h"
#include "tests/support/vu_peer.h"

extern const struct device_ops vsock_device;

#define CID	  42ULL
#define HDR	  44U
#define RING_GPA  0x1000 /* a ring every 0x4000 */
#define TX_GPA	  0x20000
#define RX_GPA	  0x80000
#define RX_BYTES  4096U /* of data, in a buffer of its own behind the header */
#define RAM_BYTES 0x400000
#define RX	  0
#define TX	  1
#define EVENT	  2
#define BUFFERS	  64 /* that the driver offers to receive into */

#define OP(o)	  VIRTIO_VSOCK_OP_##o
#define STREAM	  VIRTIO_VSOCK_TYPE_STREAM
#define SEQ	  VIRTIO_VSOCK_TYPE_SEQPACKET
#define ALLOC	  0x10000U /* of the guest's buffer, unless a test says otherwise */

_Static_assert(sizeof(struct virtio_vsock_hdr) == HDR, "as the specification has it");

static struct dev_child child;
static struct vqd_mem mem;
static struct vqd ring[3];
static int kick[3], call[3], error[3];
static struct boot_dev rec;
static struct vsock_settings settings;
static uint64_t leave, features; /* those that the driver does not take, and those that it does */
static uint32_t alloc, fwd;
static uint64_t rx_gpa[VQD_SIZE_MAX]; /* of the buffer at each head */
static uint16_t ring_base;

static inline uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m), "request %u", request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

/* Has the device carry out all that was sent before; two questions, as a doorbell may be heard behind the first */
static inline void settle(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		vup_empty(child.vmm, VUP_GET_QUEUE_NUM, 0);
		cr_assert_eq(answer(VUP_GET_QUEUE_NUM), 3);
	}
}

/* Lets ring @q run from @base on */
static inline void run_ring(unsigned int q, uint16_t base)
{
	kick[q] = eventfd(0, EFD_NONBLOCK);
	call[q] = eventfd(0, EFD_NONBLOCK);
	error[q] = eventfd(0, EFD_NONBLOCK);
	vup_state(child.vmm, VUP_SET_VRING_NUM, 0, q, 256);
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, q, base);
	vup_addr(child.vmm, 0, q, &ring[q]);
	vup_fd(child.vmm, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(child.vmm, VUP_SET_VRING_ERR, 0, q, error[q]);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick[q]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, q, 1);
	cr_assert_eq(answer(VUP_SET_VRING_ENABLE), 0);
}

static inline void start_ring(unsigned int q)
{
	vqd_init(&ring[q], &mem, 256, RING_GPA + 0x4000 * q, 0);
	vqd_start_at(&ring[q], ring_base);
	run_ring(q, ring_base);
}

/* Stops it; where it stopped */
static inline uint16_t stop_ring(unsigned int q)
{
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, q, 0);
	return (uint16_t)(answer(VUP_GET_VRING_BASE) >> 32);
}

/* ---- what the guest receives ---- */

static inline void offer(uint64_t gpa)
{
	const struct vqd_buf buf[] = {{gpa, HDR, true}, {gpa + HDR, RX_BYTES, true}};

	rx_gpa[vqd_add(&ring[RX], buf, 2)] = gpa;
}

static inline void offer_all(void)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		offer(RX_GPA + i * 0x2000ULL);
	eventfd_write(kick[RX], 1);
	settle();
}

static uint8_t data[RX_BYTES]; /* of the packet that came last */

/* The next packet if there is one; its buffer is offered again */
static inline bool take_packet(struct virtio_vsock_hdr *h)
{
	uint32_t head, len;
	uint64_t gpa;

	if (!vqd_take(&ring[RX], &head, &len))
		return false;
	gpa = rx_gpa[head];
	memcpy(h, vqd_at(&mem, gpa, HDR), HDR);
	cr_assert_eq(len, HDR + h->len, "used.len is %u, hdr.len %u", len, h->len);
	for (unsigned int i = 0; i < h->len;
	     i++) /* one buffer crosses from one piece of memory into the next */
		data[i] = *(uint8_t *)vqd_at(&mem, gpa + HDR + i, 1);
	cr_assert(h->src_cid == 2 || h->op == OP(RST));
	cr_assert_eq(h->dst_cid, CID);
	offer(gpa);
	eventfd_write(kick[RX], 1);
	return true;
}

static inline struct virtio_vsock_hdr next_packet(void)
{
	struct virtio_vsock_hdr h;

	while (!take_packet(&h)) {
		eventfd_t v;

		cr_assert(dev_child_wait(call[RX]), "no packet");
		eventfd_read(call[RX], &v);
	}
	return h;
}

/* The next packet, which has to be this one */
static inline struct virtio_vsock_hdr expect(unsigned int op, uint32_t guest, uint32_t host)
{
	struct virtio_vsock_hdr h = next_packet();

	cr_assert(h.op == op && h.dst_port == guest && h.src_port == host,
		  "op %u for %u from %u, not %u for %u from %u", h.op, h.dst_port, h.src_port, op,
		  guest, host);
	return h;
}

static inline bool silent(void)
{
	struct virtio_vsock_hdr h;

	settle();
	return !take_packet(&h);
}

/* ---- what the guest sends ---- */

static inline struct virtio_vsock_hdr packet(unsigned int op, uint32_t guest, uint32_t host)
{
	return (struct virtio_vsock_hdr){
		.src_cid = CID,
		.dst_cid = 2,
		.src_port = guest,
		.dst_port = host,
		.type = STREAM,
		.op = (uint16_t)op,
		.buf_alloc = alloc,
		.fwd_cnt = fwd,
	};
}

/* Waits until the device has it */
static inline void send_packet(const struct virtio_vsock_hdr *h, const void *payload)
{
	const struct vqd_buf buf[] = {{TX_GPA, HDR, false}, {TX_GPA + HDR, h->len, false}};
	uint32_t head, len;

	memcpy(vqd_at(&mem, TX_GPA, HDR), h, HDR);
	if (h->len > 0)
		memcpy(vqd_at(&mem, TX_GPA + HDR, h->len), payload, h->len);
	vqd_add(&ring[TX], buf, h->len > 0 ? 2 : 1);
	eventfd_write(kick[TX], 1);
	settle();
	cr_assert(vqd_take(&ring[TX], &head, &len) && len == 0, "the packet was not taken");
}

static inline void say(unsigned int op, uint32_t guest, uint32_t host)
{
	const struct virtio_vsock_hdr h = packet(op, guest, host);

	send_packet(&h, NULL);
}

static inline void say_data(uint32_t guest, uint32_t host, const void *payload, uint32_t len)
{
	struct virtio_vsock_hdr h = packet(OP(RW), guest, host);

	h.len = len;
	send_packet(&h, payload);
}

static inline void say_shutdown(uint32_t guest, uint32_t host, uint32_t flags)
{
	struct virtio_vsock_hdr h = packet(OP(SHUTDOWN), guest, host);

	h.flags = flags;
	send_packet(&h, NULL);
}

/* ---- the supervisor ---- */

static inline struct ctl_msg hear(enum ctl_type type)
{
	struct ctl_msg m = {0};

	cr_assert(dev_child_wait(child.control), "no message of type %d", type);
	cr_assert_eq(ctl_recv(child.control, &m), 1);
	cr_assert_eq(m.type, type, "type %u: %s", m.type, m.text);
	return m;
}

static inline struct ctl_msg order(enum ctl_type type, uint32_t code, uint64_t arg, int fd)
{
	const struct ctl_msg m = {.type = type, .code = code, .arg = arg};

	cr_assert_eq(ctl_send_whole(child.control, &m, fd), 0);
	if (fd >= 0)
		close(fd);
	return hear(CTL_DONE);
}

static inline void pair_of(int type, int ret[2])
{
	const int zero = 0;

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ret), 0);
	if (type == SOCK_SEQPACKET)
		cr_assert_eq(setsockopt(ret[0], SOL_SOCKET, SO_PEEK_OFF, &zero, sizeof(zero)), 0);
}

/* A connection that the guest made: our end */
static inline int connected(uint32_t guest, uint32_t host, uint16_t type)
{
	struct virtio_vsock_hdr h = packet(OP(REQUEST), guest, host);
	struct ctl_msg m;
	int end[2];

	h.type = type;
	send_packet(&h, NULL);
	m = hear(CTL_VSOCK_ASK);
	cr_assert_eq(m.code, host);
	cr_assert_eq(m.value[0], type == SEQ);
	pair_of(type == SEQ ? SOCK_SEQPACKET : SOCK_STREAM, end);
	cr_assert_eq(order(CTL_VSOCK_FOUND, 0, m.arg, end[0]).code, 0);
	h = expect(OP(RESPONSE), guest, host);
	cr_assert(h.buf_alloc > 0 && h.fwd_cnt == 0 && h.type == type);
	return end[1];
}

/* ---- set-up ---- */

static inline void start(void)
{
	static const struct vqd_piece pieces[] = {{0, RX_GPA + 0x3000},
						  {RX_GPA + 0x3000, RAM_BYTES - RX_GPA - 0x3000}};

	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert(dev_child_start(&child, &vsock_device, &rec, NULL, "vsock_device"));
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	vup_empty(child.vmm, VUP_GET_FEATURES, 0);
	features = answer(VUP_GET_FEATURES) & ~(leave | VQD_F_EVENT_IDX);
	vup_empty(child.vmm, VUP_GET_PROTOCOL_FEATURES, 0);
	vup_u64(child.vmm, VUP_SET_PROTOCOL_FEATURES, 0, answer(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(child.vmm, VUP_SET_OWNER, 0);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features);
	vup_mem_table(child.vmm, 0, &mem);
}

static inline void setup_bare(void)
{
	rec = (struct boot_dev){.name = "vsock0", .type = "vsock"};
	settings = (struct vsock_settings){.cid = CID, .conns = 200};
	alloc = ALLOC;
}

static inline void setup(void)
{
	setup_bare();
	start();
	for (unsigned int q = 0; q < 3; q++)
		start_ring(q);
	offer_all();
}

static inline void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

#endif

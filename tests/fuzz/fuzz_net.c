/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver of the network device, and frames of any size from outside
 *
 * The device runs in this process, with a socket pair as its TAP. The first byte says what the driver
 * accepted: 1 MRG_RXBUF, 2 CSUM, 4 GUEST_CSUM, 8 HOST_TSO4, 16 event index, 32 indirect. Then steps, an
 * opcode byte each, arguments behind it (numbers little endian; rings are rx 0, tx 1, control 2):
 *
 *   0 desc    ring u8, index u8, address, length u16, flags u8 (NEXT 1, WRITE 2, INDIRECT 4; high
 *             nibble: length shifted left by so many bits), next u8
 *   1 offer   ring u8, head u8
 *   2 index   ring u8, u16: avail.idx
 *   3 kick    ring u8
 *   4 frame   length u16, shift u8: arrives on the TAP
 *   5 event   u8: the TAP is ready, as EPOLLIN 1 and EPOLLOUT 4 say
 *   6 poke    offset u16, value u16: anything within the RAM of rings and buffers
 *   7 drain   the TAP's other side reads what was sent, and checks it
 *   8 move    ring u8: is stopped and started anew where it was
 *   9 buffer  length u16: an honest receive buffer
 *  10 send    length u16, 12 bytes: an honest chain with that header
 *
 * Between two steps the device holds receive buffers at most, and nothing of a ring that has been
 * stopped, no matter what the driver did.
 * Covers: devices/net/net.c devices/net/net_port.c devices/net/vnet.c devices/net/vnet_rx.c
 */
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/settings.h"
#include "tests/fuzz/fuzz_ring.h"

#define RAM	 0x10000ULL
#define RAM2	 0x40000ULL /* a region that touches it */
#define BYTES	 0x30000ULL
#define RING	 0x1000ULL
#define BUFFERS	 0x18000ULL
#define SIZE	 32
#define RINGS	 3
#define TAP_BUFS (1 << 20)

extern const struct device_ops net_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vqd_piece pieces[] = {{RAM, BYTES}, {RAM2, BYTES}};
static struct vqd_mem ram;
static struct device dev;
static struct loop loop;
static int outside;

struct fuzz {
	struct fuzz_input in;
	struct vqd drv[RINGS];
	uint32_t next_buffer;
};

static uint64_t get_gpa(struct fuzz *f)
{
	static const uint64_t origins[] = {RAM + BUFFERS, RAM2 - 64, RAM2 + BYTES - 16, RAM};
	uint64_t origin = origins[fuzz_get8(&f->in) % ARRAY_SIZE(origins)];

	return origin + fuzz_get16(&f->in);
}

static void prepare(void)
{
	struct boot_dev rec = {.name = "net0", .type = "net", .nr_res = 1};
	const struct net_settings settings = {.mac = {2}};
	struct err err;
	int pair[2], bytes = TAP_BUFS;

	vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
	vr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	vr_assert(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) == 0);
	outside = fcntl(pair[1], F_DUPFD, 100);
	vr_assert(outside >= 0 && loop_init(&loop, &err) == 0);
	loop.epoll_fd = fcntl(loop.epoll_fd, F_DUPFD, 100);
	if (pair[0] != BOOT_FD_RES) {
		vr_assert(dup2(pair[0], BOOT_FD_RES) == BOOT_FD_RES);
		close(pair[0]);
	}
	if (pair[1] != BOOT_FD_RES)
		close(pair[1]);
	boot_set_settings(&rec, &settings, sizeof(settings));
	vr_assert(device_init(&dev, &net_device, &loop, &err) == 0);
	vr_assert(net_device.init(&dev, &rec, &err) == 0);
	vqd_mem_map(&ram, &dev.mem);
}

/* What the device sends obeys the rules it has for drivers */
static void drain(void)
{
	static uint8_t frame[80000];
	struct virtio_net_hdr_v1 h;
	ssize_t n;

	while ((n = recv(outside, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		memcpy(&h, frame, sizeof(h));
		vr_assert(n >= 12 + 14 && n <= 12 + 65562);
		vr_assert((h.flags & ~1) == 0 && h.num_buffers == 0);
		vr_assert(h.flags == 0 || dev.acked & 1ULL << VIRTIO_NET_F_CSUM);
		vr_assert(!h.flags || h.csum_start + h.csum_offset + 2 <= n - 12);
		vr_assert(h.gso_type == 0 || (h.gso_type == 1 && h.gso_size > 0 && h.flags));
		vr_assert(h.gso_type == 0 || dev.acked & 1ULL << VIRTIO_NET_F_HOST_TSO4);
		vr_assert(h.hdr_len >= 14 && h.hdr_len <= n - 12);
	}
}

static void start(struct fuzz *f)
{
	static const uint64_t bits[] = {1ULL << VIRTIO_NET_F_MRG_RXBUF,
					1ULL << VIRTIO_NET_F_CSUM,
					1ULL << VIRTIO_NET_F_GUEST_CSUM,
					1ULL << VIRTIO_NET_F_HOST_TSO4,
					VQD_F_EVENT_IDX,
					VQD_F_INDIRECT};
	unsigned int accepted = fuzz_get8(&f->in);

	dev.acked = 1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_RX;
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		dev.acked |= accepted >> i & 1 ? bits[i] : 0;
	memset(ram.base, 0, ram.bytes);
	for (unsigned int q = 0; q < RINGS; q++) {
		vqd_init(&f->drv[q], &ram, SIZE, RAM + RING * (q + 1), dev.acked);
		fuzz_ring_start(&dev, q, &f->drv[q], 0);
	}
	vr_assert(net_device.start(&dev, dev.acked) == 0);
}

static void do_desc(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % RINGS, index = fuzz_get8(&f->in) % SIZE;
	uint64_t gpa = get_gpa(f);
	uint32_t len = fuzz_get16(&f->in);
	unsigned int flags = fuzz_get8(&f->in);

	vqd_put_desc(&f->drv[q], (uint16_t)index, gpa, len << (flags >> 4), flags & 7,
		     (uint16_t)fuzz_get8(&f->in));
}

static void do_frame(struct fuzz *f)
{
	static uint8_t frame[80000];
	size_t len = fuzz_get16(&f->in);

	len <<= fuzz_get8(&f->in) % 3;
	if (len > 0 && len <= sizeof(frame))
		(void)!send(outside, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void do_move(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % RINGS;

	fuzz_ring_start(&dev, q, &f->drv[q], fuzz_ring_stop(&dev, q));
	fuzz_ring_kick(&dev, q);
}

/* The next entry of the table for an honest buffer; used ones are not waited for */
static void honest(struct fuzz *f, unsigned int q, uint32_t len)
{
	uint16_t i = (uint16_t)(f->next_buffer++ % SIZE);

	vqd_put_desc(&f->drv[q], i, RAM + BUFFERS + 0x800 * i, len, q == 0 ? VQD_WRITE : 0, 0);
	vqd_offer(&f->drv[q], i);
}

static void do_send(struct fuzz *f)
{
	uint32_t len = fuzz_get16(&f->in);
	uint64_t gpa = RAM + BUFFERS + 0x800 * (f->next_buffer % SIZE);

	for (unsigned int i = 0; i < 12; i++)
		*(uint8_t *)vqd_at(&ram, gpa + i, 1) = (uint8_t)fuzz_get8(&f->in);
	honest(f, 1, len);
}

static void step(struct fuzz *f)
{
	unsigned int q;
	uint64_t off;

	switch (fuzz_get8(&f->in) % 11) {
	case 0: do_desc(f); break;
	case 1:
		q = fuzz_get8(&f->in) % RINGS;
		vqd_offer(&f->drv[q], (uint16_t)fuzz_get8(&f->in));
		break;
	case 2:
		q = fuzz_get8(&f->in) % RINGS;
		vqd_set_avail_idx(&f->drv[q], fuzz_get16(&f->in));
		break;
	case 3: fuzz_ring_kick(&dev, fuzz_get8(&f->in) % RINGS); break;
	case 4: do_frame(f); break;
	case 5:
		net_device.event(&dev, 0, fuzz_get8(&f->in) & 4 ? EPOLLIN | EPOLLOUT : EPOLLIN);
		break;
	case 6:
		off = fuzz_get16(&f->in) * 2U;
		memcpy(ram.base + off, &(uint16_t){fuzz_get16(&f->in)}, 2);
		break;
	case 7: drain(); break;
	case 8: do_move(f); break;
	case 9: honest(f, 0, fuzz_get16(&f->in)); break;
	case 10: do_send(f); break;
	}
	for (q = 1; q < RINGS; q++)
		vr_assert(fuzz_ring_held(&dev, q) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	static uint8_t rest[80000];

	if (ram.nr == 0)
		prepare();
	f = (struct fuzz){.in = {data, size}};
	start(&f);
	while (f.in.left > 0)
		step(&f);
	for (unsigned int q = 0; q < RINGS; q++)
		(void)fuzz_ring_stop(&dev, q);
	net_device.reset(&dev);
	drain();
	while (recv(BOOT_FD_RES, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		continue;
	return 0;
}

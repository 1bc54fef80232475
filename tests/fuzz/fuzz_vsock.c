/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile driver of the vsock device, with a supervisor and host's ends that do anything too
 *
 * The device runs in this process, with room for CONNS connections. The first byte says what the driver accepted:
 * 1 seqpacket, 2 event index, 4 indirect. Then steps, an opcode byte each, arguments behind it (numbers little
 * endian; rings are rx 0, tx 1, event 2):
 *
 *   0 packet   op u8, guest port u8, host port u8 (0 to 7: that of host's connection so many), type u8,
 *              length u16, flags u8, buf_alloc u16 (shifted left by 4), fwd_cnt u16
 *   1 raw      44 bytes of header, length u16 of the chain
 *   2 buffer   length u16: to receive into
 *   3 kick     ring u8
 *   4 answer   u8: the oldest question; odd: with a socket
 *   5 connect  guest port u8, flags u8 (CTL_VSOCK_*)
 *   6 end      number u8, what u8 (write, read all, shut down, close), length u16
 *   7 event    fds are ready
 *   8 reset
 *   9 desc     ring u8, index u8, address u16 in RAM / 4, length u16, flags u8, next u8; then offered
 *   10 drain   what the guest received is looked at, and buffers are offered again
 *
 * What left the buffer and what is in it is what the guest sent, always. What the guest receives obeys the
 * specification. After the last host's end is closed every place is free.
 * Covers: devices/vsock/vsock.c devices/vsock/vsock_ask.c devices/vsock/vsock_buf.c devices/vsock/vsock_host.c
 * Covers: devices/vsock/vsock_rx.c devices/vsock/vsock_say.c devices/vsock/vsock_table.c devices/vsock/vsock_tx.c
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/ctl.h"
#include "devices/core/settings.h"
#include "devices/vsock/vsock_state.h"
#include "tests/fuzz/fuzz_ring.h"

#define RAM	0x10000ULL
#define BYTES	0x80000ULL
#define RING	0x1000ULL
#define TX	0x20000ULL
#define RX	0x40000ULL
#define SIZE	32
#define CONNS	6
#define CID	5
#define ENDS	16
#define ASKS	64
#define CONTROL 0xe0 /* where the supervisor's end of the control socket is */

extern const struct device_ops vsock_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vqd_piece pieces[] = {{RAM, BYTES}};
static struct vqd_mem ram;
static struct device dev;
static struct loop loop;
static struct vqd drv[VSOCK_RINGS];

struct fuzz {
	struct fuzz_input in;
	int end[ENDS];
	unsigned int nr_ends;
	uint64_t ask[ASKS];
	bool ask_seqpacket[ASKS];
	unsigned int first_ask, nr_asks;
	uint32_t host_port[8];
	unsigned int nr_host_ports;
	uint32_t next_tx, next_rx;
};

static void prepare(void)
{
	struct boot_dev rec = {.name = "vsock0", .type = "vsock"};
	const struct vsock_settings settings = {.cid = CID, .conns = CONNS};
	struct err err;
	int pair[2];

	signal(SIGPIPE, SIG_IGN); /* as log_init() does */
	/* First, as what is made later must not be where the control socket goes */
	vr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	vr_assert(dup2(pair[1], CONTROL) == CONTROL && dup2(pair[0], BOOT_FD_CONTROL) >= 0);
	vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
	vr_assert(loop_init(&loop, &err) == 0);
	boot_set_settings(&rec, &settings, sizeof(settings));
	vr_assert(device_init(&dev, &vsock_device, &loop, &err) == 0);
	vr_assert(vsock_device.init(&dev, &rec, &err) == 0);
	vqd_mem_map(&ram, &dev.mem);
}

static void start(struct fuzz *f)
{
	unsigned int accepted = fuzz_get8(&f->in);

	dev.acked = (accepted & 1 ? 1ULL << VIRTIO_VSOCK_F_SEQPACKET : 0) |
		    (accepted & 2 ? VQD_F_EVENT_IDX : 0) | (accepted & 4 ? VQD_F_INDIRECT : 0);
	memset(ram.base, 0, ram.bytes);
	for (unsigned int q = 0; q < VSOCK_RINGS; q++) {
		vqd_init(&drv[q], &ram, SIZE, RAM + RING * q, dev.acked);
		fuzz_ring_start(&dev, q, &drv[q], 0);
	}
}

static void send_header(struct fuzz *f, const struct virtio_vsock_hdr *h, uint32_t bytes)
{
	const uint64_t gpa = RAM + TX + 0x1000 * (f->next_tx % SIZE);

	memcpy(vqd_at(&ram, gpa, sizeof(*h)), h, sizeof(*h));
	fuzz_offer(&drv[VSOCK_TX], &f->next_tx, gpa, bytes, false);
	fuzz_ring_kick(&dev, VSOCK_TX);
}

static void do_packet(struct fuzz *f)
{
	struct virtio_vsock_hdr h = {.src_cid = CID, .dst_cid = VSOCK_HOST_CID};

	h.op = (uint16_t)fuzz_get8(&f->in);
	h.src_port = fuzz_get8(&f->in);
	h.dst_port = fuzz_get8(&f->in);
	if (h.dst_port < f->nr_host_ports)
		h.dst_port = f->host_port[h.dst_port];
	h.type = (uint16_t)fuzz_get8(&f->in);
	h.len = fuzz_get16(&f->in);
	h.flags = fuzz_get8(&f->in);
	h.buf_alloc = (uint32_t)fuzz_get16(&f->in) << 4;
	h.fwd_cnt = fuzz_get16(&f->in);
	send_header(f, &h, (uint32_t)sizeof(h) + h.len);
}

static void do_raw(struct fuzz *f)
{
	struct virtio_vsock_hdr h;

	for (unsigned int i = 0; i < sizeof(h); i++)
		((uint8_t *)&h)[i] = (uint8_t)fuzz_get8(&f->in);
	send_header(f, &h, fuzz_get16(&f->in));
}

static int new_end(struct fuzz *f, bool seqpacket)
{
	const int from = 0;
	int pair[2];

	if (f->nr_ends == ENDS ||
	    socketpair(AF_UNIX, (seqpacket ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK, 0,
		       pair) < 0)
		return -1;
	if (seqpacket)
		vr_assert(setsockopt(pair[0], SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from)) == 0);
	f->end[f->nr_ends++] = pair[1];
	return pair[0];
}

/* A request, as vmrun-dev passes it on */
static void control(struct ctl_msg *m, int fd, bool legal)
{
	struct err err;
	const int rc = vsock_device.control(&dev, m, &fd, &err);

	vr_assert(rc != -EPROTO || !legal);
	if (fd >= 0)
		close(fd);
}

static void hear_questions(struct fuzz *f)
{
	struct ctl_msg m;

	while (recv(CONTROL, &m, sizeof(m), 0) == sizeof(m)) {
		vr_assert(m.type == CTL_VSOCK_ASK && f->nr_asks < ASKS);
		f->ask[(f->first_ask + f->nr_asks) % ASKS] = m.arg;
		f->ask_seqpacket[(f->first_ask + f->nr_asks++) % ASKS] = m.value[0];
	}
}

static void answer(struct fuzz *f, bool with)
{
	struct ctl_msg m = {.type = CTL_VSOCK_FOUND, .arg = f->ask[f->first_ask]};
	const bool seqpacket = f->ask_seqpacket[f->first_ask];

	if (f->nr_asks == 0)
		return;
	f->first_ask = (f->first_ask + 1) % ASKS;
	f->nr_asks--;
	control(&m, with ? new_end(f, seqpacket) : -1, true);
}

static void do_connect(struct fuzz *f)
{
	struct ctl_msg m = {.type = CTL_VSOCK_CONNECT, .arg = fuzz_get8(&f->in)};
	int fd;

	m.code = fuzz_get8(&f->in);
	fd = new_end(f, m.code & CTL_VSOCK_SEQPACKET);
	control(&m, fd, fd >= 0);
	if (m.value[0] && f->nr_host_ports < ARRAY_SIZE(f->host_port))
		f->host_port[f->nr_host_ports++] = (uint32_t)m.value[0];
}

static void do_end(struct fuzz *f)
{
	static uint8_t bytes[1 << 18];
	int *end = &f->end[fuzz_get8(&f->in) % ENDS];
	const unsigned int what = fuzz_get8(&f->in) % 4;
	const size_t len = fuzz_get16(&f->in);

	if (end >= f->end + f->nr_ends || *end < 0)
		return;
	switch (what) {
	case 0: (void)!send(*end, bytes, len, MSG_NOSIGNAL); break;
	case 1:
		while (recv(*end, bytes, sizeof(bytes), 0) > 0)
			continue;
		break;
	case 2: (void)shutdown(*end, len % 2 ? SHUT_WR : SHUT_RDWR); break;
	case 3:
		close(*end);
		*end = -1;
		break;
	}
}

static void do_desc(struct fuzz *f)
{
	unsigned int q = fuzz_get8(&f->in) % VSOCK_RINGS, index = fuzz_get8(&f->in) % SIZE;
	uint64_t gpa = RAM + fuzz_get16(&f->in) * 4ULL;
	uint32_t len = fuzz_get16(&f->in);
	unsigned int flags = fuzz_get8(&f->in);

	vqd_put_desc(&drv[q], (uint16_t)index, gpa, len, flags & 7, (uint16_t)fuzz_get8(&f->in));
	vqd_offer(&drv[q], (uint16_t)index);
}

/* What the guest received in buffers that fuzz_vsock offered; a hostile ring has others, which are not looked at */
static void drain(struct fuzz *f)
{
	uint32_t head, len;

	while (!dev.vq[VSOCK_RX].broken && vqd_take(&drv[VSOCK_RX], &head, &len)) {
		struct virtio_vsock_hdr h;

		if (head >= SIZE)
			return;
		memcpy(&h, vqd_at(&ram, RAM + RX + 0x1000 * head, sizeof(h)), sizeof(h));
		if (h.dst_cid != CID || h.len + sizeof(h) != len)
			continue; /* another buffer's */
		vr_assert(h.op >= VIRTIO_VSOCK_OP_REQUEST && h.op <= VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		vr_assert(h.op == VIRTIO_VSOCK_OP_RW ? h.len > 0 : h.len == 0);
		vr_assert(h.op == VIRTIO_VSOCK_OP_RST || h.src_cid == VSOCK_HOST_CID);
	}
	(void)f;
}

static void check(void)
{
	const struct vsock *v = dev.state;

	vr_assert(v->nr_resets <= VSOCK_RESETS_ON + CONNS);
	vr_assert(v->asks <= VSOCK_ASKS_MAX);
	for (unsigned int i = 0; i < CONNS; i++) {
		const struct vsock_conn *c = &v->table.conn[i];

		vr_assert(c->buf.nr <= c->buf.cap);
		if (c->state == VSOCK_FREE)
			vr_assert(c->in < 0 && c->out < 0);
		else if (c->guest_shut == 0)
			vr_assert(c->credit.got - c->credit.fwd == c->buf.nr);
	}
}

static void step(struct fuzz *f)
{
	switch (fuzz_get8(&f->in) % 11) {
	case 0: do_packet(f); break;
	case 1: do_raw(f); break;
	case 2:
		fuzz_offer(&drv[VSOCK_RX], &f->next_rx, RAM + RX + 0x1000 * (f->next_rx % SIZE),
			   fuzz_get16(&f->in) % 0x1001, true);
		break;
	case 3: fuzz_ring_kick(&dev, fuzz_get8(&f->in) % VSOCK_RINGS); break;
	case 4: answer(f, fuzz_get8(&f->in) & 1); break;
	case 5: do_connect(f); break;
	case 6: do_end(f); break;
	case 7: vsock_device.event(&dev, 0, EPOLLIN); break;
	case 8: vsock_device.reset(&dev); break;
	case 9: do_desc(f); break;
	case 10: drain(f); break;
	}
	hear_questions(f);
	check();
}

static void finish(struct fuzz *f)
{
	const struct vsock *v = dev.state;

	vsock_device.reset(&dev);
	vsock_device.left(&dev);
	while (f->nr_asks > 0) {
		answer(f, false);
		hear_questions(f);
	}
	for (unsigned int i = 0; i < f->nr_ends; i++)
		if (f->end[i] >= 0)
			close(f->end[i]);
	for (unsigned int i = 0; i < 4; i++)
		vsock_device.event(&dev, 0, EPOLLIN);
	for (unsigned int i = 0; i < CONNS; i++)
		vr_assert(v->table.conn[i].state == VSOCK_FREE);
	vr_assert(v->asks == 0);
	control(&(struct ctl_msg){.type = CTL_VSOCK_CONNECT}, open("/dev/null", O_RDWR), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;

	if (ram.nr == 0)
		prepare();
	f = (struct fuzz){.in = {data, size}};
	start(&f);
	while (f.in.left > 0)
		step(&f);
	finish(&f);
	return 0;
}

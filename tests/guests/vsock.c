/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets to the host, by polling. First sends packets that no driver should, and lives. Connects to port 5000
 * of the host and says a line. Then listens: port 22 sends back what it receives, port 23 ends the VM, all
 * others refuse.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define VIRTIO_VSOCK 19
#define F_STREAM     (1ULL << 0)
#define F_SEQPACKET  (1ULL << 1)
#define HOST	     2
#define HDR	     44U
#define BUFS	     VIRTIO_RING_SIZE
#define BUF_BYTES    4096U
#define ALLOC	     65536U

enum { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST };

struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	uint8_t data[BUF_BYTES - HDR];
} __attribute__((packed));

static struct virtio_ring rx_ring, tx_ring, event_ring;
static struct virtio_drv rx, tx, events;
static struct packet buf[BUFS], out;
static uint64_t cid;
static uint32_t taken; /* bytes of the one stream that is served at a time */

static void offer(uint16_t i)
{
	virtio_set_desc(&rx_ring.desc[i], &buf[i], BUF_BYTES, VIRTIO_DESC_WRITE, 0);
	virtio_offer(&rx_ring, i);
}

/* Sends @out as @bytes */
static bool send(uint32_t bytes)
{
	virtio_set_desc(&tx_ring.desc[0], &out, bytes, 0, 0);
	virtio_kick(&tx, &tx_ring, 0);
	return virtio_wait(&tx, &tx_ring, 0) == 0;
}

static bool say(uint16_t op, uint32_t from, uint32_t to, uint32_t len)
{
	out.src_cid = cid;
	out.dst_cid = HOST;
	out.src_port = from;
	out.dst_port = to;
	out.len = len;
	out.type = 1;
	out.op = op;
	out.flags = op == SHUTDOWN ? 3 : 0;
	out.buf_alloc = ALLOC;
	out.fwd_cnt = taken;
	return send(HDR + len);
}

/* The next packet of the device, to be given back with give_back(); NULL when none comes */
static struct packet *next(int32_t *ret_at)
{
	uint32_t len;

	for (unsigned int tries = 0; tries < 20000000; tries++) {
		*ret_at = virtio_poll(&rx, &rx_ring, &len);
		if (*ret_at >= 0)
			return &buf[*ret_at];
	}
	return NULL;
}

static void give_back(int32_t at)
{
	offer((uint16_t)at);
	mmio_write16(rx.doorbell, rx.queue);
}

static bool next_is(uint16_t op, uint32_t to)
{
	int32_t at;
	const struct packet *p = next(&at);
	const bool is = p && p->op == op && p->dst_port == to && p->dst_cid == cid;

	if (p)
		give_back(at);
	return is;
}

static void misbehave(void)
{
	bool ok = true;

	ok = say(RW, 1, 80, 100) && next_is(RST, 1) && ok;
	ok = say(99, 2, 80, 0) && next_is(RST, 2) && ok;
	ok = say(RST, 3, 80, 0) && ok;
	guest_check(ok, "vsock: packets for no connection are refused");
	say(REQUEST, 4, 80, 0);
	guest_check(next_is(RST, 4), "vsock: a port without a listener is refused");
	out.src_cid = cid + 1;
	guest_check(send(HDR), "vsock: a packet in another guest's name is dropped");
	out.src_cid = cid;
	out.dst_cid = cid;
	out.src_port = 5;
	guest_check(send(HDR) && next_is(RST, 5), "vsock: a packet to another host is refused");
	out.dst_cid = HOST;
	out.type = 77;
	out.src_port = 6;
	guest_check(send(HDR) && next_is(RST, 6), "vsock: an unknown type is refused");
}

static void connect_to_host(void)
{
	static const char line[] = "hello from the guest\n";

	say(REQUEST, 1000, 5000, 0);
	guest_check(next_is(RESPONSE, 1000), "vsock: connects to a program of the host");
	memcpy(out.data, line, sizeof(line) - 1);
	say(RW, 1000, 5000, sizeof(line) - 1);
	say(SHUTDOWN, 1000, 5000, 0);
	guest_check(next_is(RST, 1000), "vsock: closes");
}

/* One packet of a connection that the host made; false when the VM shall end */
static bool serve(const struct packet *p)
{
	if (p->op == REQUEST) {
		taken = 0;
		say(p->dst_port == 22 || p->dst_port == 23 ? RESPONSE : RST, p->dst_port,
		    p->src_port, 0);
		return p->dst_port != 23;
	}
	if (p->op == RW) {
		taken += p->len;
		memcpy(out.data, p->data, p->len);
		say(RW, p->dst_port, p->src_port, p->len);
	} else if (p->op == SHUTDOWN) {
		say(SHUTDOWN, p->dst_port, p->src_port, 0);
	}
	return true;
}

void guest_main(void)
{
	const struct packet *p;
	int32_t at;
	bool on = true;

	guest_check(virtio_find(&rx, VIRTIO_VSOCK) && virtio_negotiate(&rx, F_STREAM | F_SEQPACKET),
		    "vsock: is there");
	guest_check((rx.features & F_SEQPACKET) != 0, "vsock: has seqpacket");
	cid = mmio_read64(rx.config);
	tx = events = rx;
	tx.queue = 1;
	events.queue = 2;
	guest_check(virtio_set_queue(&rx, &rx_ring) && virtio_set_queue(&tx, &tx_ring) &&
			    virtio_set_queue(&events, &event_ring) && virtio_go(&rx),
		    "vsock: starts");
	for (uint16_t i = 0; i < BUFS; i++)
		offer(i);
	mmio_write16(rx.doorbell, rx.queue);
	misbehave();
	connect_to_host();
	guest_puts("vsock: CID ");
	guest_put_dec(cid);
	guest_puts(" ready\n");
	while (on && (p = next(&at))) {
		on = serve(p);
		give_back(at);
	}
	guest_check(!on && virtio_status(&rx) == 0x0f, "vsock: is content");
	guest_check(virtio_reset(&rx), "vsock: resets");
	guest_poweroff();
}

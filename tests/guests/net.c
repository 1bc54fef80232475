/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host on the network, by polling: answers every ARP request and every ping, in place, in as many
 * buffers as the frame came in. First sends what no driver should, and lives. A datagram to UDP port
 * 9 ends it, as does a link that goes down: it prints what it saw and powers off.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define F_MAC	  (1ULL << 5)
#define F_MRG	  (1ULL << 15)
#define F_STATUS  (1ULL << 16)
#define HDR	  12U
#define BUFS	  VIRTIO_RING_SIZE
#define BUF_BYTES 2048U
#define LARGE	  70000U

#define ETH_TYPE  12
#define ETH	  14
#define IP_PROTO  (ETH + 9)
#define IP_SRC	  (ETH + 12)
#define IP_DST	  (ETH + 16)
#define L4	  (ETH + 20) /* no options in what busybox sends */

static struct virtio_ring rx_ring, tx_ring;
static struct virtio_drv rx, tx;
static uint8_t buf[BUFS][BUF_BYTES], large[HDR + LARGE], mac[6];
static uint64_t nr_pings, nr_buffers;
static bool over;

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void swap(uint8_t *a, uint8_t *b, unsigned int n)
{
	for (; n > 0; n--, a++, b++) {
		uint8_t v = *a;

		*a = *b;
		*b = v;
	}
}

/* Turns an ARP request for any address into an answer with ours */
static bool answer_arp(uint8_t *f)
{
	uint8_t *arp = f + ETH;

	if (be16(arp + 6) != 1 || memcmp(arp + 14, arp + 24, 4) == 0)
		return false;
	arp[7] = 2;
	swap(arp + 8, arp + 18, 10); /* sender and target */
	memcpy(arp + 8, mac, 6);
	return true;
}

/* Turns a ping, or a fragment of one, into the answer: only its first byte and its checksum change */
static bool answer_ip(uint8_t *f)
{
	bool first = (be16(f + ETH + 6) & 0x1fff) == 0;

	if (f[IP_PROTO] == 17 && first && be16(f + L4 + 2) == 9)
		over = true;
	if (f[IP_PROTO] != 1 || (first && f[L4] != 8))
		return false;
	swap(f + IP_SRC, f + IP_DST, 4);
	if (first) {
		uint32_t sum = be16(f + L4 + 2) + 0x800U;

		sum = (sum & 0xffff) + (sum >> 16);
		f[L4] = 0;
		f[L4 + 2] = (uint8_t)(sum >> 8);
		f[L4 + 3] = (uint8_t)sum;
		nr_pings++;
	}
	return true;
}

static bool answer(uint8_t *f)
{
	memcpy(f, f + 6, 6);
	memcpy(f + 6, mac, 6);
	if (be16(f + ETH_TYPE) == 0x0806)
		return answer_arp(f);
	return be16(f + ETH_TYPE) == 0x0800 && answer_ip(f);
}

static void offer(uint16_t i)
{
	virtio_set_desc(&rx_ring.desc[i], buf[i], BUF_BYTES, VIRTIO_DESC_WRITE, 0);
	virtio_offer(&rx_ring, i);
}

/* Takes one frame if there is one, in up to BUFS buffers, and sends it back if it is a question */
static void serve(void)
{
	uint16_t id[BUFS];
	uint32_t len[BUFS];
	int32_t got = virtio_poll(&rx, &rx_ring, &len[0]);
	uint8_t *head;
	unsigned int nr;

	if (got < 0)
		return;
	id[0] = (uint16_t)got;
	head = buf[id[0]];
	nr = (unsigned int)head[10] | (unsigned int)head[11] << 8;
	for (unsigned int i = 1; i < nr; i++) {
		/* They must have arrived: the device shows a frame whole. */
		got = virtio_poll(&rx, &rx_ring, &len[i]);
		if (got < 0 || nr > BUFS) {
			guest_check(false, "net: a frame came in parts");
			guest_poweroff();
		}
		id[i] = (uint16_t)got;
	}
	nr_buffers += nr;
	if (answer(head + HDR)) {
		memset(head, 0, HDR);
		for (unsigned int i = 0; i < nr; i++)
			virtio_set_desc(&tx_ring.desc[i], buf[id[i]], len[i],
					i + 1 < nr ? VIRTIO_DESC_NEXT : 0, (uint16_t)(i + 1));
		virtio_kick(&tx, &tx_ring, 0);
		virtio_wait(&tx, &tx_ring, 0);
	}
	for (unsigned int i = 0; i < nr; i++)
		offer(id[i]);
	mmio_write16(rx.doorbell, rx.queue);
}

/* One frame of @bytes behind the header in @large */
static bool send(uint32_t bytes)
{
	virtio_set_desc(&tx_ring.desc[0], large, bytes, 0, 0);
	virtio_kick(&tx, &tx_ring, 0);
	return virtio_wait(&tx, &tx_ring, 0) == 0;
}

/* Frames that no driver should send are dropped or passed, and the device goes on */
static void misbehave(void)
{
	static const uint32_t sizes[] = {1,	   11,		HDR,	     HDR + 1,	 HDR + 13,
					 HDR + 14, HDR + 65562, HDR + 65563, HDR + 69999};
	static const uint8_t headers[][HDR] = {
		{1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, /* checksum outside, without CSUM */
		{0, 1, 0, 0, 0, 0},			    /* TSO of size 0 */
		{1, 1, 0xff, 0xff, 0, 8, 34, 0, 16, 0},	    /* TSO that was not negotiated */
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	};
	bool ok = true;

	memset(large + HDR, 2, 12);
	large[HDR + ETH_TYPE] = 0x88;
	large[HDR + ETH_TYPE + 1] = 0xb5;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ok = send(sizes[i]) && ok;
	guest_check(ok, "net: frames of any size are taken");
	for (unsigned int i = 0; i < sizeof(headers) / HDR; i++) {
		memcpy(large, headers[i], HDR);
		ok = send(HDR + 60) && ok;
	}
	memset(large, 0, HDR);
	guest_check(ok && virtio_status(&tx) == 0x0f, "net: headers of any kind are taken");
}

/* Whether there was a configuration interrupt, had we asked for interrupts, and the link is why */
static bool link_went_down(void)
{
	static unsigned int calls;

	return ++calls % 256 == 0 && mmio_read8(rx.isr) & 2 && mmio_read16(rx.config + 6) == 0;
}

void guest_main(void)
{
	static const uint8_t none[6];

	guest_check(virtio_find(&rx, VIRTIO_NET) && virtio_negotiate(&rx, F_MAC | F_MRG | F_STATUS),
		    "net: is there");
	guest_check((rx.features & (F_MAC | F_MRG)) == (F_MAC | F_MRG),
		    "net: has MAC and MRG_RXBUF");
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = mmio_read8(rx.config + i);
	guest_check(memcmp(mac, none, 6) != 0, "net: has an address");
	guest_check(mmio_read16(rx.config + 6) == 1, "net: its link is up");
	tx = rx;
	tx.queue = 1;
	guest_check(virtio_set_queue(&rx, &rx_ring) && virtio_set_queue(&tx, &tx_ring) &&
			    virtio_go(&rx),
		    "net: starts");
	for (uint16_t i = 0; i < BUFS; i++)
		offer(i);
	mmio_write16(rx.doorbell, rx.queue);
	/* The kernel's back-end takes less than our device; a guest on it has an address that ends so. */
	if (mac[5] != 0x56)
		misbehave();
	guest_puts("net: ready\n");
	while (!over) {
		serve();
		if (link_went_down()) {
			guest_puts("net: the link went down\n");
			over = true;
		}
	}
	guest_check(virtio_status(&rx) == 0x0f, "net: is content");
	guest_puts("net: pings ");
	guest_put_dec(nr_pings);
	guest_puts(nr_buffers > nr_pings ? ", some in several buffers\n" : "\n");
	guest_check(virtio_reset(&rx), "net: resets");
	guest_poweroff();
}

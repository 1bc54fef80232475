// SPDX-License-Identifier: BSD-3-Clause
/*
 * The other end of tests/bench/net-pps.c: sends and receives frames as fast as the device takes and
 * gives them, from ring 3, which runs at full speed even where KVM only emulates supervisor code.
 *
 * A frame of type ORDER says what to do: how (one byte), bytes a frame (two), how many (four), each
 * in the other byte order than the network's. The guest carries it out and answers with a frame
 * of type DONE: an order's bytes, then how often it rang (four). All frames that count are of type
 * COUNTED, others are left out. It never waits for an interrupt, and rings only when asked to.
 */
#include "lib/guest.h"
#include "lib/ring3.h"
#include "lib/virtio_drv.h"

#define F_MAC	    (1ULL << 5)
#define F_MRG	    (1ULL << 15)
#define F_EVENT_IDX (1ULL << 29)
#define NO_IRQ	    1
#define HDR	    12U
#define ETH_TYPE    (HDR + 12)
#define ORDER	    (HDR + 14)
#define ORDER_BYTES 7U
#define TYPE_COUNT  0xb588 /* 0x88b5, as two bytes of memory read back to front */
#define TYPE_ORDER  0xb688
#define BUFS	    256U
#define BUF_BYTES   2048U
#define BATCH	    32U /* frames made available together */

enum { HOW_SEND = 1, HOW_RECEIVE = 2 };

/* A large ring, as drivers have it */
struct ring {
	struct virtio_desc desc[BUFS];
	struct {
		uint16_t flags, idx, ring[BUFS], used_event;
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[BUFS];
		uint16_t avail_event;
	} used __attribute__((aligned(4)));
} __attribute__((aligned(4096)));

static struct ring rx_ring, tx_ring;
static struct virtio_drv rx, tx;
static uint8_t rx_buf[BUFS][BUF_BYTES], tx_buf[BUF_BYTES];
static uint32_t nr_rung;

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

/* Shows the device all entries up to @idx, and rings if the device asks for it */
static void show(const struct virtio_drv *v, struct ring *r, uint16_t idx)
{
	uint16_t old = r->avail.idx;
	bool ring;

	/* Half way around from the device's next entry: it never interrupts. */
	r->avail.used_event = (uint16_t)(v->seen_used + 0x8000);
	__atomic_store_n(&r->avail.idx, idx, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (v->features & F_EVENT_IDX)
		ring = (uint16_t)(idx - *(volatile uint16_t *)&r->used.avail_event - 1) <
		       (uint16_t)(idx - old);
	else
		ring = !(*(volatile uint16_t *)&r->used.flags & 1);
	if (!ring)
		return;
	mmio_write16(v->doorbell, v->queue);
	nr_rung++;
}

/* How many chains the device is done with */
static unsigned int done(const struct virtio_drv *v, const struct ring *r)
{
	return (uint16_t)(__atomic_load_n(&r->used.idx, __ATOMIC_ACQUIRE) - v->seen_used);
}

/* Sends the frame in @tx_buf @count times; every descriptor points to it */
static void transmit(uint32_t count, uint32_t bytes)
{
	uint16_t idx = tx_ring.avail.idx;
	uint32_t shown = 0, gone = 0;

	for (unsigned int i = 0; i < BUFS; i++) {
		virtio_set_desc(&tx_ring.desc[i], tx_buf, bytes, 0, 0);
		tx_ring.avail.ring[(idx + i) % BUFS] = (uint16_t)i;
	}
	while (gone < count) {
		uint32_t nr = done(&tx, &tx_ring), n = count - shown;

		gone += nr;
		/* What comes back goes out again. */
		for (; nr > 0; nr--, tx.seen_used++)
			tx_ring.avail.ring[tx.seen_used % BUFS] =
				(uint16_t)tx_ring.used.ring[tx.seen_used % BUFS].id;
		n = n < BATCH ? n : BATCH;
		n = n < BUFS - (shown - gone) ? n : BUFS - (shown - gone);
		shown += n;
		idx = (uint16_t)(idx + n);
		if (n > 0)
			show(&tx, &tx_ring, idx);
		else
			__builtin_ia32_pause();
	}
}

/* Takes up to @count frames of @type; the last one is in @ret_last, ORDER_BYTES of it */
static void receive(uint32_t count, uint16_t type, uint8_t *ret_last)
{
	uint16_t idx = rx_ring.avail.idx;

	for (uint32_t got = 0; got < count;) {
		unsigned int n = 0;

		for (unsigned int nr = done(&rx, &rx_ring); n < nr && n < BATCH && got < count;
		     n++) {
			uint32_t id = rx_ring.used.ring[rx.seen_used++ % BUFS].id;

			if (get16(rx_buf[id] + ETH_TYPE) == type) {
				got++;
				if (ret_last)
					memcpy(ret_last, rx_buf[id] + ORDER, ORDER_BYTES);
			}
			rx_ring.avail.ring[idx++ % BUFS] = (uint16_t)id;
		}
		if (n > 0)
			show(&rx, &rx_ring, idx);
		else
			__builtin_ia32_pause();
	}
}

static void serve(void)
{
	uint8_t order[ORDER_BYTES];

	for (;;) {
		receive(1, TYPE_ORDER, order);
		nr_rung = 0;
		tx_buf[ETH_TYPE + 1] = 0xb5;
		if (order[0] == HOW_SEND)
			transmit(get32(order + 3), HDR + get16(order + 1));
		else
			receive(get32(order + 3), TYPE_COUNT, NULL);
		memcpy(tx_buf + ORDER, order, ORDER_BYTES);
		memcpy(tx_buf + ORDER + ORDER_BYTES, &nr_rung, sizeof(nr_rung));
		tx_buf[ETH_TYPE + 1] = 0xb6;
		transmit(1, HDR + 60);
	}
}

static bool set_queue(struct virtio_drv *v, struct ring *r)
{
	return virtio_place_queue(v, BUFS, r->desc, &r->avail, &r->used);
}

void guest_main(void)
{
	bool ok = virtio_find(&rx, VIRTIO_NET) &&
		  virtio_negotiate(&rx, F_MAC | F_MRG | F_EVENT_IDX);

	tx = rx;
	tx.queue = 1;
	if (!guest_check(ok && set_queue(&rx, &rx_ring) && set_queue(&tx, &tx_ring) &&
				 virtio_go(&rx),
			 "netbench: starts"))
		guest_poweroff();
	rx_ring.avail.flags = NO_IRQ;
	tx_ring.avail.flags = NO_IRQ;
	memset(tx_buf + HDR, 0xff, 6);
	tx_buf[HDR + 6] = 2;
	tx_buf[ETH_TYPE] = 0x88;
	for (unsigned int i = 0; i < BUFS; i++) {
		virtio_set_desc(&rx_ring.desc[i], rx_buf[i], BUF_BYTES, VIRTIO_DESC_WRITE, 0);
		rx_ring.avail.ring[i] = (uint16_t)i;
	}
	show(&rx, &rx_ring, BUFS);
	guest_puts("netbench: ready\n");
	for (uint64_t at = 0; at < 4 << 20; at += 2 << 20)
		ring3_may(at);
	ring3_may(rx.doorbell);
	ring3_may(tx.doorbell);
	ring3_run(serve);
}

// SPDX-License-Identifier: BSD-3-Clause
/*
 * The guest of tests/bench/block-polling.c: asks disks for data as fast as they give it, from ring 3.
 *
 * The last disk is small and carries orders. Sector 0 holds an order, which the guest reads again and again until
 * there is a new one; it carries that out on another disk and writes what it did into sector 1. Its driver polls: it
 * never waits for an interrupt, and rings only when the device asks for that.
 */
#include "lib/guest.h"
#include "lib/pci_drv.h"
#include "lib/ring3.h"
#include "lib/virtio_drv.h"

#define F_FLUSH	    (1ULL << 9) /* without it each write is one, too */
#define F_EVENT_IDX (1ULL << 29)
#define NO_IRQ	    1
#define BLK_IN	    0
#define BLK_OUT	    1
#define SECTOR	    512U
#define DISKS	    3U /* the last one for orders */
#define SLOTS	    32U
#define ENTRIES	    128U /* three a slot */
#define DATA_BYTES  (4U << 20)
#define PAUSES	    20000U

/* Little-endian, as both ends are */
struct order {
	uint64_t number, span;
	uint32_t disk, write, in_order, depth, bytes, count;
};

struct answer {
	uint64_t number;
	uint32_t rung, failed;
};

struct ring {
	struct virtio_desc desc[ENTRIES];
	struct {
		uint16_t flags, idx, ring[ENTRIES], used_event;
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[ENTRIES];
		uint16_t avail_event;
	} used __attribute__((aligned(4)));
} __attribute__((aligned(4096)));

static struct disk {
	struct virtio_drv drv;
	struct ring ring;
	uint32_t rung;
	volatile uint8_t status[SLOTS];
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header[SLOTS];
} disks[DISKS];

static uint8_t data[DATA_BYTES] __attribute__((aligned(4096)));
static union {
	struct order order;
	struct answer answer;
	uint8_t bytes[SECTOR];
} paper __attribute__((aligned(SECTOR)));

static void submit(struct disk *d, unsigned int slot, uint32_t type, uint64_t sector, void *at,
		   uint32_t bytes)
{
	struct virtio_desc *desc = &d->ring.desc[3 * slot];
	const uint16_t head = (uint16_t)(3 * slot), old = d->ring.avail.idx;
	const uint16_t way = type == BLK_IN ? VIRTIO_DESC_WRITE : 0;

	d->header[slot].type = type;
	d->header[slot].sector = sector;
	d->status[slot] = 0xff;
	virtio_set_desc(&desc[0], &d->header[slot], 16, VIRTIO_DESC_NEXT, (uint16_t)(head + 1));
	virtio_set_desc(&desc[1], at, bytes, VIRTIO_DESC_NEXT | way, (uint16_t)(head + 2));
	virtio_set_desc(&desc[2], (const void *)&d->status[slot], 1, VIRTIO_DESC_WRITE, 0);
	d->ring.avail.ring[old % ENTRIES] = head;
	/* Half way around from the device's next entry: it never interrupts. */
	d->ring.avail.used_event = (uint16_t)(d->drv.seen_used + 0x8000);
	__atomic_store_n(&d->ring.avail.idx, (uint16_t)(old + 1), __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (*(volatile uint16_t *)&d->ring.used.avail_event != old)
		return;
	mmio_write16(d->drv.doorbell, 0);
	d->rung++;
}

/* The slot of the next answer; waits for it */
static unsigned int answered(struct disk *d)
{
	while (__atomic_load_n(&d->ring.used.idx, __ATOMIC_ACQUIRE) == d->drv.seen_used)
		__builtin_ia32_pause();
	return d->ring.used.ring[d->drv.seen_used++ % ENTRIES].id / 3;
}

static bool one(struct disk *d, uint32_t type, uint64_t sector)
{
	submit(d, 0, type, sector, &paper, SECTOR);
	return d->status[answered(d)] == 0;
}

static struct answer carry_out(const struct order *o)
{
	struct disk *d = &disks[o->disk < DISKS - 1 ? o->disk : 0];
	struct answer a = {.number = o->number};
	uint32_t asked = 0, done = 0;
	unsigned int slot = 0;
	uint64_t x = 1;

	d->rung = 0;
	while (done < o->count) {
		const uint64_t at = o->in_order ? asked : x >> 20;

		if (asked >= o->depth) {
			slot = answered(d);
			a.failed += d->status[slot] != 0;
			done++;
		}
		if (asked < o->count)
			submit(d, slot, o->write ? BLK_OUT : BLK_IN,
			       at % (o->span / o->bytes) * (o->bytes / SECTOR),
			       data + (uint64_t)slot * o->bytes, o->bytes);
		asked++;
		slot++;
		x = x * 6364136223846793005ULL + 1;
	}
	a.rung = d->rung;
	return a;
}

static void serve(void)
{
	struct disk *orders = &disks[DISKS - 1];
	uint64_t last = 0;

	for (;;) {
		struct order o;

		if (!one(orders, BLK_IN, 0) || paper.order.number == last) {
			for (unsigned int i = 0; i < PAUSES; i++)
				__builtin_ia32_pause();
			continue;
		}
		o = paper.order;
		last = o.number;
		paper.answer = carry_out(&o);
		(void)one(orders, BLK_OUT, 1);
	}
}

void guest_main(void)
{
	unsigned int nr = 0;

	for (unsigned int slot = 1; slot < 32 && nr < DISKS; slot++) {
		struct virtio_drv *v = &disks[nr].drv;
		struct ring *r = &disks[nr].ring;

		if (!virtio_find_at(v, slot, VIRTIO_BLOCK))
			continue;
		if (!virtio_negotiate(v, F_FLUSH | F_EVENT_IDX) || !(v->features & F_EVENT_IDX) ||
		    !virtio_place_queue(v, ENTRIES, r->desc, &r->avail, &r->used) || !virtio_go(v))
			break;
		r->avail.flags = NO_IRQ;
		ring3_may(v->doorbell);
		nr++;
	}
	if (!guest_check(nr == DISKS, "blockbench: starts"))
		guest_poweroff();
	for (uint64_t at = 0; at < 16 << 20; at += 2 << 20)
		ring3_may(at);
	guest_puts("blockbench: ready\n");
	ring3_run(serve);
}

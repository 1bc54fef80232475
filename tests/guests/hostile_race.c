/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings that change while they are read. The second CPU, in ring 3 and so at full speed, writes descriptors, heads and
 * the available index without an end, good ones and bad ones in turn; the first rings the doorbell, looks what becomes
 * of it and resets what is broken. On each queue of each device, which must work afterwards. Then both CPUs write the
 * device's registers at once. With the parameter "long" all has a hundred times as many turns.
 */
#include "lib/guest.h"
#include "lib/honest.h"
#include "lib/pci_drv.h"
#include "lib/ring3.h"
#include "lib/smp.h"

#define TURNS  12U
#define LONG   100U
#define RINGS  20U /* of the doorbell, a turn */
#define SIZE   VIRTIO_RING_SIZE
#define TABLES 64U
#define END    0x2000000UL /* 32 MiB */

static struct virtio_ring ring __attribute__((aligned(4096)));
static struct virtio_desc table[TABLES];
static uint8_t buffer[4096] __attribute__((aligned(4096)));
static volatile uint64_t writes;
/* The second CPU is asked to stop, and says which request it has obeyed */
static volatile uint32_t stop = 1, stopped;
static volatile bool racing;
static volatile uint64_t
	bar; /* of the device whose registers the second CPU writes; 0: it writes the ring */

/*
 * Values that a descriptor may flip between; each has what is right and what is not. None of them, read as the number of
 * a page that a balloon takes, is a page of this guest.
 */
static const uint64_t addrs[] = {(uint64_t)buffer, END - 64, END, END - 1, ~0ULL, 0xfee00000, 0,
				 (uint64_t)table};
static const uint32_t lens[] = {64, 1, 0, 300, 0xffffffff, 16, 4096, 17};
static const uint16_t flags[] = {0, 2, 3, 1, 4, 6, 5, 7};

static uint32_t chance(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void scribble(volatile struct virtio_desc *d, uint32_t r)
{
	d->flags = flags[r & 7];
	d->addr = addrs[r >> 3 & 7];
	d->len = lens[r >> 6 & 7];
	d->next = (uint16_t)(r >> 9 & 31);
	d->addr = (uint64_t)buffer;
	d->len = 64;
	d->flags = r >> 14 & 1 ? 2 : 0;
}

/* One write to a register, or a read: common, ISR, the device's own, doorbells, masks of vectors */
static void poke(uint32_t r)
{
	static const uint32_t parts[] = {0, 0, 0, 0x800, 0x1000, 0x2000, 0x2000, 0x300c};
	const uint32_t part = parts[r & 7];
	const uint64_t at = bar + part + (part == 0x300c ? r >> 3 & 0x70 : r >> 3 & 0x3c);

	if (r >> 10 & 1)
		mmio_write32(at, r >> 11 & 1 ? r >> 12 & 0xf : r >> 12);
	else if (r >> 11 & 1)
		mmio_write8(at, (uint8_t)(r >> 12 & 3 ? 0 : r >> 14));
	else
		(void)mmio_read16(at);
}

/* The second CPU, in ring 3, for ever */
static void race(void)
{
	volatile struct virtio_ring *r = &ring;
	uint32_t seed = 2463534242;

	for (;;) {
		const uint32_t n = chance(&seed);

		if (!racing) {
			stopped = stop;
			continue;
		}
		writes++;
		if (bar) {
			poke(n);
			continue;
		}
		scribble(&r->desc[n >> 16 & 15], n);
		scribble(&((volatile struct virtio_desc *)table)[n >> 20 & 63], n >> 3);
		if ((n & 0xf00) == 0) {
			r->avail.ring[n >> 12 & 15] = (uint16_t)(n & 0x1000 ? n >> 20
									    : n >> 20 & 15);
			r->avail.idx = (uint16_t)(r->avail.idx + (n & 1));
			r->avail.used_event = (uint16_t)(n >> 16);
			r->avail.flags = n >> 8 & 1;
		}
		/* The device's own side, which it must not believe */
		if ((n & 0xff000) == 0) {
			r->used.idx = (uint16_t)n;
			r->used.avail_event = (uint16_t)(n >> 8);
		}
	}
}

static void second(void)
{
	ring3_run(race);
}

static void be_still(void)
{
	racing = false;
	stop++;
	while (stopped != stop)
		__builtin_ia32_pause();
}

static bool turn(struct honest_dev *d, unsigned int q, unsigned int n)
{
	const uint64_t features = (n & 1 ? VIRTIO_F_INDIRECT : 0) |
				  (n & 2 ? VIRTIO_F_EVENT_IDX : 0);
	struct virtio_drv v;
	bool ok = honest_begin(d, features) && honest_queues(d, q);

	v = d->v;
	v.queue = (uint16_t)q;
	be_still();
	ok = ok && virtio_set_queue(&v, &ring) && virtio_go(&v);
	racing = true;
	for (unsigned int i = 0; ok && i < RINGS; i++) {
		mmio_write16(v.doorbell, v.queue);
		if (i == RINGS / 2)
			(void)honest_ask(d, q);
	}
	return virtio_reset(&d->v) && ok;
}

static void attack(struct honest_dev *d, unsigned int q, unsigned int turns)
{
	const uint64_t before = writes;
	bool ok = true;

	for (unsigned int n = 0; n < turns; n++)
		ok = turn(d, q, n) && ok;
	be_still();
	ok = ok && writes > before && honest_works(d);
	guest_puts(ok ? "ok - " : "not ok - ");
	guest_puts(d->kind->name);
	guest_puts(" queue ");
	guest_put_dec(q);
	guest_puts(": works after rings that changed while they were read\n# writes meanwhile: ");
	guest_put_dec(writes - before);
	guest_puts("\n");
}

/* The first CPU sets the device up and uses it, as far as the second one lets it */
static void attack_registers(struct honest_dev *d, unsigned int turns)
{
	const uint64_t before = writes;
	bool ok;

	bar = d->v.common & ~0x3fffULL;
	for (unsigned int n = 0; n < turns; n++) {
		racing = true;
		/* A request that is not answered costs its time. */
		if (honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE) && virtio_go(&d->v))
			honest_post(d, 0, 0);
		(void)virtio_reset(&d->v);
		be_still();
	}
	bar = 0;
	ok = writes > before && honest_works(d);
	guest_puts(ok ? "ok - " : "not ok - ");
	guest_puts(d->kind->name);
	guest_puts(": works after registers that two CPUs wrote\n");
}

void guest_main(void)
{
	const unsigned int turns = guest_has_word("long") ? TURNS * LONG : TURNS;
	struct honest_dev d;

	honest_first("hostile_race");
	ring3_may(0xc0000000); /* where BARs are */
	for (uint64_t at = 0x200000; at < 0x600000; at += 0x200000)
		ring3_may(at);
	if (!guest_check(smp_start(second), "a second CPU begins"))
		guest_reset();
	for (unsigned int slot = 1; slot < 32; slot++) {
		for (unsigned int q = 0; honest_find(&d, slot) && q < d.nr_queues; q++)
			attack(&d, q, turns);
		if (honest_find(&d, slot))
			attack_registers(&d, turns);
	}
	honest_last("hostile_race");
}

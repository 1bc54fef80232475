/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Breaks each rule of a ring, one after the other, on every queue of every virtio device there is. Each time the device
 * must say DEVICE_NEEDS_RESET, and after a reset it must work. Where a queue may lie is tried as well. The machine has
 * 3 GiB of RAM below the PCI hole and 64 MiB above it.
 */
#include "lib/guest.h"
#include "lib/honest.h"
#include "lib/pci_drv.h"
#include "lib/virtio_drv.h"

#define WRITE		    VIRTIO_DESC_WRITE
#define NEXT		    VIRTIO_DESC_NEXT
#define TABLE		    VIRTIO_DESC_INDIRECT
#define SIZE		    VIRTIO_RING_SIZE

#define LOW_END		    0xc0000000ULL
#define HIGH		    0x100000000ULL
#define HIGH_END	    (HIGH + (64ULL << 20))
#define BUFFER		    64U
#define ENTRIES		    1024U /* the device takes tables up to this */
#define AT_ONCE		    40 /* looks at the status before the device is made to look at its queue */

#define COMMON_QUEUE_SIZE   0x18
#define COMMON_QUEUE_ENABLE 0x1c

static struct virtio_ring ring;
static struct virtio_desc table[ENTRIES + 1];
static uint8_t buffer[512];

/* Where no buffer may lie */
static const struct place {
	const char *name;
	uint64_t at;
	uint32_t len;
} places[] = {
	{"at the end of low RAM", LOW_END, BUFFER},
	{"across the end of low RAM", LOW_END - BUFFER, BUFFER + 16},
	{"a byte across the end of low RAM", LOW_END - 48, 49},
	{"4 GiB from low RAM", 0x100000, 0xffffffff},
	{"in the hole", LOW_END + 0x20000000, BUFFER},
	{"in a BAR", LOW_END, 0x1000},
	{"the interrupt controller", 0xfec00000, BUFFER},
	{"the CPU's interrupt controller", 0xfee00000, BUFFER},
	{"KVM's own pages", 0xfffbc000, 0x4000},
	{"from the hole into high RAM", HIGH - 32, BUFFER},
	{"at the end of high RAM", HIGH_END, BUFFER},
	{"across the end of high RAM", HIGH_END - 32, BUFFER},
	{"far behind RAM", 1ULL << 40, BUFFER},
	{"at 2^52", 1ULL << 52, BUFFER},
	{"at 2^63", 1ULL << 63, BUFFER},
	{"at the last address", ~0ULL - 15, 16},
	{"wrapping to 0", ~0ULL - 31, BUFFER},
	{"wrapping by 4 GiB", ~0ULL - 0xffff, 0xffffffff},
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static void set(unsigned int i, const void *at, uint32_t len, uint16_t flags, uint16_t next)
{
	virtio_set_desc(&ring.desc[i], at, len, flags, next);
}

static void entry(unsigned int i, uint32_t len, uint16_t flags, uint16_t next)
{
	virtio_set_desc(&table[i], buffer, len, flags, next);
}

static void indirect(uint32_t bytes, uint16_t flags)
{
	set(0, table, bytes, flags | TABLE, 1);
}

/* ---- the rules: each leaves a chain at 0, or says which head is offered --------------------- */

static uint16_t head_is_size(void)
{
	return SIZE;
}

static uint16_t head_is_65535(void)
{
	return 0xffff;
}

static uint16_t available_one_too_many(void)
{
	ring.avail.idx = SIZE;
	return 0;
}

static uint16_t available_far_ahead(void)
{
	ring.avail.idx = 0x7fff;
	return 0;
}

static uint16_t available_goes_back(void)
{
	ring.avail.idx = 0xfffd;
	return 0;
}

static uint16_t chain_of_itself(void)
{
	set(0, buffer, BUFFER, WRITE | NEXT, 0);
	return 0;
}

static uint16_t loop_of_two(void)
{
	set(0, buffer, BUFFER, NEXT, 1);
	set(1, buffer, BUFFER, NEXT, 0);
	return 0;
}

static uint16_t loop_of_all(void)
{
	for (unsigned int i = 0; i < SIZE; i++)
		set(i, buffer, 1, WRITE | NEXT, (uint16_t)((i + 1) % SIZE));
	return 0;
}

static uint16_t next_is_size(void)
{
	set(0, buffer, BUFFER, WRITE | NEXT, SIZE);
	return 0;
}

static uint16_t next_is_65535(void)
{
	set(0, buffer, BUFFER, NEXT, 0xffff);
	return 0;
}

static uint16_t empty_buffer(void)
{
	set(0, buffer, 0, WRITE, 0);
	return 0;
}

static uint16_t empty_buffer_at_the_end(void)
{
	set(0, buffer, BUFFER, WRITE | NEXT, 1);
	set(1, buffer, 0, WRITE, 0);
	return 0;
}

static uint16_t writable_before_readable(void)
{
	set(0, buffer, BUFFER, WRITE | NEXT, 1);
	set(1, buffer, BUFFER, 0, 0);
	return 0;
}

static uint16_t more_than_4_gib(void)
{
	set(0, (void *)0x100000, 0xbff00000, WRITE | NEXT, 1);
	set(1, (void *)0x100000, 0xbff00000, WRITE, 0);
	return 0;
}

static uint16_t table_not_negotiated(void)
{
	entry(0, BUFFER, WRITE, 0);
	indirect(16, 0);
	return 0;
}

static uint16_t table_in_table(void)
{
	virtio_set_desc(&table[0], &table[1], 16, TABLE, 0);
	entry(1, BUFFER, WRITE, 0);
	indirect(16, 0);
	return 0;
}

static uint16_t table_of_odd_size(void)
{
	entry(0, BUFFER, WRITE, 0);
	indirect(24, 0);
	return 0;
}

static uint16_t table_of_nothing(void)
{
	entry(0, BUFFER, WRITE, 0);
	indirect(0, 0);
	return 0;
}

static uint16_t table_too_long(void)
{
	entry(0, BUFFER, WRITE, 0);
	indirect(16 * (ENTRIES + 1), 0);
	return 0;
}

static uint16_t table_of_4_gib(void)
{
	entry(0, BUFFER, WRITE, 0);
	indirect(0xfffffff0, 0);
	return 0;
}

static uint16_t table_goes_on(void)
{
	entry(0, BUFFER, WRITE, 0);
	set(1, buffer, BUFFER, WRITE, 0);
	indirect(16, NEXT);
	return 0;
}

static uint16_t table_next_outside(void)
{
	entry(0, BUFFER, WRITE | NEXT, 2);
	entry(2, BUFFER, WRITE, 0);
	indirect(32, 0);
	return 0;
}

static uint16_t table_loop(void)
{
	entry(0, 1, WRITE | NEXT, 1);
	entry(1, 1, WRITE | NEXT, 0);
	indirect(32, 0);
	return 0;
}

static uint16_t table_empty_buffer(void)
{
	entry(0, 0, WRITE, 0);
	indirect(16, 0);
	return 0;
}

static uint16_t table_writable_first(void)
{
	entry(0, BUFFER, WRITE | NEXT, 1);
	entry(1, BUFFER, 0, 0);
	indirect(32, 0);
	return 0;
}

static uint16_t table_after_writable(void)
{
	entry(0, BUFFER, 0, 0);
	set(0, buffer, BUFFER, WRITE | NEXT, 1);
	set(1, table, 16, TABLE, 0);
	return 0;
}

static const struct {
	const char *name;
	uint16_t (*fill)(void);
	uint64_t features;
} rules[] = {
	{"head is the size", head_is_size, 0},
	{"head is 65535", head_is_65535, 0},
	{"one available too many", available_one_too_many, 0},
	{"available index far ahead", available_far_ahead, 0},
	{"available index goes back", available_goes_back, 0},
	{"a chain that goes on with itself", chain_of_itself, 0},
	{"a loop of two", loop_of_two, 0},
	{"a loop of all", loop_of_all, 0},
	{"next is the size", next_is_size, 0},
	{"next is 65535", next_is_65535, 0},
	{"an empty buffer", empty_buffer, 0},
	{"an empty buffer at the end", empty_buffer_at_the_end, 0},
	{"writable before readable", writable_before_readable, 0},
	{"more than 4 GiB", more_than_4_gib, 0},
	{"a table, not negotiated", table_not_negotiated, 0},
	{"a table in a table", table_in_table, VIRTIO_F_INDIRECT},
	{"a table of an odd size", table_of_odd_size, VIRTIO_F_INDIRECT},
	{"a table of nothing", table_of_nothing, VIRTIO_F_INDIRECT},
	{"a table of 1025 entries", table_too_long, VIRTIO_F_INDIRECT},
	{"a table of 4 GiB", table_of_4_gib, VIRTIO_F_INDIRECT},
	{"a table and a next descriptor", table_goes_on, VIRTIO_F_INDIRECT},
	{"next outside a table", table_next_outside, VIRTIO_F_INDIRECT},
	{"a loop in a table", table_loop, VIRTIO_F_INDIRECT},
	{"an empty buffer in a table", table_empty_buffer, VIRTIO_F_INDIRECT},
	{"writable before readable in a table", table_writable_first, VIRTIO_F_INDIRECT},
	{"readable in a table after writable", table_after_writable, VIRTIO_F_INDIRECT},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

/* ---- one queue ------------------------------------------------------------------------------ */

static unsigned int steps, failures;

/* Names what failed, and says nothing otherwise: a line costs this guest milliseconds. */
static void expect(bool ok, const struct honest_dev *d, unsigned int q, const char *what,
		   const char *name)
{
	steps++;
	if (ok)
		return;
	failures++;
	guest_puts("not ok - ");
	guest_puts(d->kind->name);
	guest_puts(" queue ");
	guest_put_dec(q);
	guest_puts(what);
	guest_puts(name);
	guest_puts("\n");
}

/* The driver of queue @q of a device that runs, its request's queue beside it; false when that fails */
static bool start(struct honest_dev *d, unsigned int q, uint64_t features, struct virtio_drv *ret)
{
	if (!honest_begin(d, features) || !honest_queues(d, q))
		return false;
	*ret = d->v;
	ret->queue = (uint16_t)q;
	return virtio_set_queue(ret, &ring) && virtio_go(ret);
}

static bool breaks_soon(const struct virtio_drv *v)
{
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		if (virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET)
			return true;
	}
	return false;
}

/* Offers what @ring has at @head: whether the device does what it should, and a reset heals it */
static void offer(struct honest_dev *d, struct virtio_drv *v, uint16_t head, const char *name)
{
	const unsigned int q = v->queue;
	const bool unread = d->kind->unread >> q & 1;
	bool asks;

	virtio_kick(v, &ring, head);
	asks = breaks_soon(v);
	/* Some queues it reads only when it has something for the guest. */
	if (!asks)
		(void)honest_ask(d, q);
	if (!asks && !unread)
		asks = virtio_wait_broken(v);
	expect(asks != unread, d, q, unread ? ": reads: " : ": does not ask for a reset: ", name);
	expect(honest_works(d), d, q, ": does not work after: ", name);
}

static void break_rule(struct honest_dev *d, unsigned int q, unsigned int i)
{
	struct virtio_drv v;
	bool ok = start(d, q, rules[i].features, &v);
	uint16_t head;

	expect(ok, d, q, ": does not start: ", rules[i].name);
	if (!ok)
		return;
	set(0, buffer, BUFFER, WRITE, 0);
	head = rules[i].fill();
	offer(d, &v, head, rules[i].name);
}

/* As a buffer, or as an indirect table */
static void misplace(struct honest_dev *d, unsigned int q, const struct place *p, bool as_table)
{
	struct virtio_drv v;
	bool ok = start(d, q, as_table ? VIRTIO_F_INDIRECT : 0, &v);

	expect(ok, d, q, ": does not start: ", p->name);
	if (!ok)
		return;
	set(0, (void *)p->at, as_table ? (p->len + 15) & ~15U : p->len, as_table ? TABLE : WRITE,
	    0);
	offer(d, &v, 0, p->name);
}

/* ---- where a queue lies --------------------------------------------------------------------- */

static const void *at(uint64_t gpa)
{
	return (const void *)gpa;
}

/* A queue that may not be; it must not be enabled, and the device must ask for a reset at once */
static void refuse(struct honest_dev *d, unsigned int q, uint16_t size, const uint64_t where[3],
		   const char *name)
{
	struct virtio_drv v;
	bool ok = honest_begin(d, 0), enabled;

	v = d->v;
	v.queue = (uint16_t)q;
	enabled = virtio_place_queue(&v, size, at(where[0]), at(where[1]), at(where[2]));
	expect(ok && !enabled && virtio_status(&v) & VIRTIO_STATUS_NEEDS_RESET, d, q,
	       ": may lie: ", name);
	/* DRIVER_OK does not start a device that has asked for a reset. */
	(void)virtio_go(&v);
	expect(virtio_status(&v) & VIRTIO_STATUS_NEEDS_RESET, d, q, ": starts: ", name);
}

static void refuse_places(struct honest_dev *d, unsigned int q)
{
	static const uint16_t sizes[] = {0, 3, 0x7fff, 0x8000, 0xffff};
	static const uint16_t off[] = {8, 1, 2};
	const uint64_t good[3] = {(uintptr_t)ring.desc, (uintptr_t)&ring.avail,
				  (uintptr_t)&ring.used};

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		refuse(d, q, sizes[i], good, "a size that is none");
	for (unsigned int part = 0; part < 3; part++) {
		uint64_t where[3] = {good[0], good[1], good[2]};

		where[part] += off[part];
		refuse(d, q, SIZE, where, "misaligned");
		for (unsigned int i = 0; i < PLACES; i++) {
			where[part] = places[i].at & ~15ULL;
			/* As long as a part at the very end is not: its last bytes would be outside. */
			if (where[part] < LOW_END)
				where[part] = LOW_END - 32;
			refuse(d, q, SIZE, where, places[i].name);
		}
	}
	expect(honest_works(d), d, q, ": does not work after: ", "places where no queue may lie");
}

/* Whether it runs with a queue there; the driver's writes need not make sense. */
static void accept(struct honest_dev *d, unsigned int q, const uint64_t where[3], const char *name)
{
	struct virtio_drv v;
	bool ok = honest_begin(d, 0) && honest_queues(d, q);

	v = d->v;
	v.queue = (uint16_t)q;
	ok = ok && virtio_place_queue(&v, SIZE, at(where[0]), at(where[1]), at(where[2])) &&
	     virtio_go(&v);
	expect(ok, d, q, ": is refused: ", name);
	for (unsigned int i = 0; ok && i < 4; i++) {
		mmio_write16(where[1] + 2, (uint16_t)(i + 1));
		mmio_write16(v.doorbell, v.queue);
		(void)honest_ask(d, q);
	}
	expect(honest_works(d), d, q, ": does not work after: ", name);
}

static void accept_places(struct honest_dev *d, unsigned int q)
{
	static const struct {
		const char *name;
		uint64_t where[3];
	} odd[] = {
		{"three parts in one", {0x1800000, 0x1800000, 0x1800000}},
		{"used over descriptors", {0x1800000, 0x1801000, 0x1800000}},
		{"used over available", {0x1800000, 0x1801000, 0x1801000}},
		{"at the end of RAM", {LOW_END - 16 * SIZE, 0x1801000, 0x1802000}},
		{"available at the end of RAM", {0x1800000, LOW_END - 6 - 2 * SIZE, 0x1802000}},
		{"used at the end of RAM", {0x1800000, 0x1801000, LOW_END - 8 - 8 * SIZE}},
		{"at address 0", {0, 0x1801000, 0x1802000}},
	};

	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		memset((void *)0x1800000, 0, 0x3000);
		memset((void *)(LOW_END - 0x1000), 0, 0x1000);
		accept(d, q, odd[i].where, odd[i].name);
	}
}

/* ---- all of them ---------------------------------------------------------------------------- */

static void attack_queue(struct honest_dev *d, unsigned int q)
{
	steps = failures = 0;
	for (unsigned int i = 0; i < RULES; i++)
		break_rule(d, q, i);
	for (unsigned int i = 0; i < PLACES; i++) {
		misplace(d, q, &places[i], false);
		misplace(d, q, &places[i], true);
	}
	refuse_places(d, q);
	accept_places(d, q);
	guest_puts(failures ? "not ok - " : "ok - ");
	guest_puts(d->kind->name);
	guest_puts(" queue ");
	guest_put_dec(q);
	guest_puts(": each broken rule ends in a reset that heals; steps ");
	guest_put_dec(steps);
	guest_puts("\n");
}

void guest_main(void)
{
	struct honest_dev d;

	honest_first("hostile_rings");
	for (unsigned int slot = 1; slot < 32; slot++) {
		if (!honest_find(&d, slot))
			continue;
		if (guest_check(honest_works(&d), d.kind->name)) {
			for (unsigned int q = 0; q < d.nr_queues; q++)
				attack_queue(&d, q);
		}
	}
	honest_last("hostile_rings");
}

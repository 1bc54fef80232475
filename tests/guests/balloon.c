/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gives memory up and takes it back as the host asks, reports memory that is free, sends statistics; then
 * breaks the rules. The size that the host wants is the command: MANY, 0, then REPORT and HOSTILE pages.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define F_STATS	    (1ULL << 1)
#define F_REPORTING (1ULL << 5)
#define WANTED	    0 /* in the configuration space, in pages */
#define ACTUAL	    4

#define PAGE	    4096UL
#define FIRST	    (32UL << 20) /* what is given up: 64 MiB of 128 */
#define MANY	    16384U
#define LIST	    256U /* page numbers of a request */
#define REPORT	    1U
#define HOSTILE	    2U
#define END	    (128UL << 20)

enum { INFLATE, DEFLATE, STATS, REPORTS, QUEUES };

static struct virtio_ring ring[QUEUES] __attribute__((aligned(4096)));
static struct virtio_drv q[QUEUES];
static uint32_t list[LIST];
static struct {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed)) stats[2];
static uint64_t reports;

static bool begin(void)
{
	bool ok = virtio_find(&q[0], VIRTIO_BALLOON) &&
		  virtio_negotiate(&q[0], F_STATS | F_REPORTING);

	for (unsigned int i = 0; ok && i < QUEUES; i++) {
		q[i] = q[0];
		q[i].queue = (uint16_t)i;
		ok = virtio_set_queue(&q[i], &ring[i]);
	}
	return ok && virtio_go(&q[0]);
}

static void send_stats(void)
{
	stats[0].tag = 4; /* free */
	stats[0].value = 1000000 + ++reports;
	stats[1].tag = 5; /* all */
	stats[1].value = END;
	virtio_set_desc(&ring[STATS].desc[0], stats, sizeof(stats), 0, 0);
	virtio_kick(&q[STATS], &ring[STATS], 0);
}

/* Waits until the host wants this many pages; sends statistics meanwhile */
static void wait_for(uint32_t wanted)
{
	uint32_t len;

	while (mmio_read32(q[0].config + WANTED) != wanted) {
		if (virtio_poll(&q[STATS], &ring[STATS], &len) == 0)
			send_stats();
	}
}

/* Names @nr pages from @page on, up or down */
static bool name(unsigned int queue, uint32_t page, uint32_t nr, bool up)
{
	for (uint32_t i = 0; i < nr; i++)
		list[i] = page + (up ? i : nr - 1 - i);
	virtio_set_desc(&ring[queue].desc[0], list, nr * 4, 0, 0);
	virtio_kick(&q[queue], &ring[queue], 0);
	return virtio_wait(&q[queue], &ring[queue], 0) == 0;
}

static bool name_all(unsigned int queue)
{
	bool ok = true;

	for (uint32_t i = 0; ok && i < MANY; i += LIST)
		ok = name(queue, FIRST / PAGE + i, LIST, i / LIST % 2);
	return ok;
}

static void touch_all(uint64_t v)
{
	for (uint64_t i = 0; i < MANY; i++)
		*(volatile uint64_t *)(FIRST + i * PAGE) = v;
}

static bool all_are(uint64_t v)
{
	for (uint64_t i = 0; i < MANY; i++) {
		if (*(volatile uint64_t *)(FIRST + i * PAGE) != v)
			return false;
	}
	return true;
}

/* Reports half of what was given up, in two pieces */
static bool report(void)
{
	const uint32_t half = MANY * PAGE / 4;

	virtio_set_desc(&ring[REPORTS].desc[0], (void *)FIRST, half,
			VIRTIO_DESC_WRITE | VIRTIO_DESC_NEXT, 1);
	virtio_set_desc(&ring[REPORTS].desc[1], (void *)(FIRST + half), half, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&q[REPORTS], &ring[REPORTS], 0);
	return virtio_wait(&q[REPORTS], &ring[REPORTS], 0) >= 0;
}

static void do_as_asked(void)
{
	guest_puts("# balloon: full\n");
	wait_for(MANY);
	guest_check(name_all(INFLATE), "gives 64 MiB up");
	guest_check(name_all(INFLATE), "gives up the same pages again");
	mmio_write32(q[0].config + ACTUAL, MANY);
	guest_check(mmio_read32(q[0].config + ACTUAL) == MANY, "says how many");
	guest_puts("# balloon: inflated\n");
	wait_for(0);
	guest_check(name_all(DEFLATE), "takes them back");
	mmio_write32(q[0].config + ACTUAL, 0);
	guest_check(all_are(0), "finds zeros in them");
	touch_all(2);
	guest_check(all_are(2), "uses them");
	guest_puts("# balloon: deflated\n");
	wait_for(REPORT);
	guest_check(report(), "reports 32 MiB");
	guest_check(*(volatile uint64_t *)FIRST == 0, "which are zeros");
	guest_check(*(volatile uint64_t *)(FIRST + MANY * PAGE - PAGE) == 2, "and no more");
	guest_puts("# balloon: reported\n");
	wait_for(HOSTILE);
}

/* Each breaks its queue, or not; and then the device works again */
static void expect(bool broken, const char *what)
{
	guest_check(!broken || virtio_wait_broken(&q[0]), what);
	guest_check(begin() && name(INFLATE, FIRST / PAGE, 1, true), "it works after that");
}

static void be_hostile(void)
{
	uint32_t rings = (uint32_t)((uintptr_t)ring / PAGE);

	(void)name(INFLATE, END / PAGE, 1, true);
	expect(true, "a page behind RAM");
	(void)name(INFLATE, 0xffffffff, 1, true);
	expect(true, "the last page there can be");
	(void)name(INFLATE, 0xfee00, 1, true);
	expect(true, "a page of the interrupt controller");
	(void)name(INFLATE, rings, 1, true);
	expect(false, "the page of its own rings");
	virtio_set_desc(&ring[REPORTS].desc[0], ring, sizeof(ring), VIRTIO_DESC_WRITE, 0);
	virtio_kick(&q[REPORTS], &ring[REPORTS], 0);
	expect(false, "a report of its own rings");
	virtio_set_desc(&ring[REPORTS].desc[0], (void *)FIRST, 0xfffff000, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&q[REPORTS], &ring[REPORTS], 0);
	expect(true, "a report beyond RAM");
	virtio_set_desc(&ring[STATS].desc[0], (void *)FIRST, 1U << 20, 0, 0);
	virtio_kick(&q[STATS], &ring[STATS], 0);
	expect(false, "a megabyte of statistics");
	guest_check(virtio_reset(&q[0]), "resets");
}

void guest_main(void)
{
	if (!guest_check(begin(), "a balloon is found, and starts"))
		guest_reset();
	send_stats();
	touch_all(1);
	do_as_asked();
	be_hostile();
	guest_puts("# balloon: done\n");
	guest_reset();
}

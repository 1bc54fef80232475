/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Storms: doorbells of every width and value, of queues that run and of others; resets while requests are in flight; all
 * ports and the guest-physical space behind RAM, read and written with every width. Meanwhile the other devices answer.
 * It has a few of the ports and pages; with the parameter "long" all ports, and every page below 4 GiB.
 *
 * Left out are the ports that end the VM on purpose, and those of the console that says how it went; and writes to the
 * CPU's own interrupt controller, by which a guest stops itself.
 */
#include "lib/guest.h"
#include "lib/honest.h"
#include "lib/pci_drv.h"

#define DOORBELLS 400U
#define RESETS	  40U
#define IN_FLIGHT (VIRTIO_RING_SIZE / 2)
#define NOTIFY	  0x2000U
#define BAR_BYTES 0x4000U
#define LAPIC	  0xfee00000ULL
#define RAM_END	  0x2000000ULL /* 32 MiB */
#define WINDOW                                                                                     \
	0x80000000ULL /* 2 MiB of addresses, behind RAM, by which any guest-physical address is reached */
#define LARGE 0x200000ULL

static const struct {
	uint16_t first, last;
	const char *why;
} left_out[] = {
	{0x60, 0x64, "keyboard controller: resets the CPU"},
	{0x3f8, 0x3ff, "serial port: what is printed"},
	{0x505, 0x505, "pvpanic"},
	{0x600, 0x605, "power management: S5"},
	{0xcf8, 0xcff, "PCI: reset control; the rest has a guest of its own"},
};

static struct honest_dev devs[32];
static unsigned int nr_devs;
static bool all;

/* Whether all others than @but answer */
static bool others_answer(unsigned int but)
{
	bool ok = true;

	for (unsigned int i = 0; i < nr_devs; i++)
		ok = (i == but || honest_ask(&devs[i], HONEST_NO_QUEUE)) && ok;
	return ok;
}

static bool run(struct honest_dev *d)
{
	return honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE) && virtio_go(&d->v);
}

static void verdict(bool ok, const char *device, const char *what)
{
	guest_puts(ok ? "ok - " : "not ok - ");
	guest_puts(device);
	guest_puts(what);
}

/* ---- one device ----------------------------------------------------------------------------- */

static void ring_any(uint64_t at, unsigned int width, uint64_t v)
{
	if (width == 0)
		mmio_write8(at, (uint8_t)v);
	else if (width == 1)
		mmio_write16(at, (uint16_t)v);
	else if (width == 2)
		mmio_write32(at, (uint32_t)v);
	else
		mmio_write64(at, v);
}

static void doorbells(unsigned int n)
{
	struct honest_dev *d = &devs[n];
	const uint64_t bar = d->v.common & ~(uint64_t)(BAR_BYTES - 1);
	bool ok = run(d);

	for (unsigned int i = 0; i < (all ? 100 : 1) * DOORBELLS; i++) {
		/* Queues that run, others, and places between them */
		ring_any(bar + NOTIFY + i * 7 % 96, i % 4, i * 0x9e3779b97f4a7c15);
		if (i % 100 == 50)
			ok = others_answer(n) && ok;
	}
	verdict(ok && honest_ask(d, HONEST_NO_QUEUE), d->kind->name, ": a storm of doorbells\n");
}

/* Makes the first request of the kind often, and waits for none */
static void put_in_flight(struct honest_dev *d)
{
	for (unsigned int i = 0; i < IN_FLIGHT; i++)
		honest_post(d, 0, i);
}

static void resets(unsigned int n)
{
	struct honest_dev *d = &devs[n];
	bool ok = true;

	for (unsigned int i = 0; i < (all ? 100 : 1) * RESETS; i++) {
		ok = run(d) && ok;
		put_in_flight(d);
		ok = virtio_reset(&d->v) && ok;
	}
	ok = others_answer(n) && ok;
	verdict(honest_works(d) && ok, d->kind->name, ": resets with requests in flight\n");
}

/* ---- ports ---------------------------------------------------------------------------------- */

static bool is_left_out(uint32_t port, uint32_t len)
{
	for (unsigned int i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		if (port + len > left_out[i].first && port <= left_out[i].last)
			return true;
	}
	return false;
}

static void poke_port(uint16_t port, uint32_t v)
{
	if (!is_left_out(port, 1)) {
		(void)inb(port);
		outb(port, (uint8_t)v);
	}
	if (!is_left_out(port, 2)) {
		(void)inw(port);
		outw(port, (uint16_t)v);
	}
	if (!is_left_out(port, 4)) {
		(void)inl(port);
		outl(port, v);
	}
}

static void ports(void)
{
	static const uint32_t values[] = {0xffffffff, 0, 0xa5a5a5a5};
	unsigned int n = 0;

	for (uint32_t port = 0; port <= 0xffff; port += all ? 1 : port < 0x1000 ? 1 : 61) {
		for (unsigned int i = 0; i < (all ? 3 : 1); i++)
			poke_port((uint16_t)port, values[n++ % 3]);
	}
	verdict(others_answer(nr_devs), "all devices", ": answer after all ports\n");
}

/* Whole strings of them: one instruction, many accesses */
static void strings(void)
{
	static const uint16_t at[] = {0x70, 0x71, GUEST_PORT_NOBODY, 0x604 + 8, 0xfff0};
	static uint8_t bytes[4096];

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		const void *from = bytes;
		void *to = bytes;
		uint64_t n = sizeof(bytes), m = sizeof(bytes) / 4;

		__asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(at[i]) : "memory");
		__asm__ volatile("rep insl" : "+D"(to), "+c"(m) : "d"(at[i]) : "memory");
	}
	verdict(others_answer(nr_devs), "all devices", ": answer after strings to ports\n");
}

/* ---- memory that is none -------------------------------------------------------------------- */

/* Has WINDOW lead to @gpa; returns the address for it */
static uint64_t look_at(uint64_t gpa)
{
	uint64_t table;

	__asm__ volatile("mov %%cr3, %0" : "=r"(table));
	for (unsigned int shift = 39; shift > 21; shift -= 9)
		table = ((uint64_t *)(table & ~0xfffULL))[WINDOW >> shift & 511] &
			0x000ffffffffff000;
	((uint64_t *)table)[WINDOW >> 21 & 511] = (gpa & ~(LARGE - 1)) | 0x83;
	__asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" : : : "rax", "memory");
	return WINDOW + (gpa & (LARGE - 1));
}

static void poke_memory(uint64_t at, bool write)
{
	(void)mmio_read8(at);
	(void)mmio_read16(at + 1);
	(void)mmio_read32(at + 4);
	(void)mmio_read64(at + 8);
	if (!write)
		return;
	mmio_write8(at, 0xff);
	mmio_write16(at + 1, 0xa5a5);
	mmio_write32(at + 4, 0xffffffff);
	mmio_write64(at + 8, ~0ULL);
}

/* A page is left out if it has a BAR: those have a guest of their own. */
static void memory_below_4_gib(void)
{
	const uint64_t step = all ? 0x1000 : 0x400000 + 0x1000;

	for (uint64_t gpa = RAM_END; gpa < 0x100000000ULL;
	     gpa += gpa >= 0xfec00000 ? 0x10000 : step) {
		const bool own = gpa >= LAPIC && gpa < LAPIC + 0x1000;

		if (gpa >= 0xc0000000 && gpa < 0xc0100000)
			continue;
		poke_memory(look_at(gpa), !own);
	}
	/* Over the end of RAM */
	(void)mmio_read64(look_at(RAM_END - 4));
	mmio_write64(look_at(RAM_END - 4), ~0ULL);
	verdict(others_answer(nr_devs), "all devices",
		": answer after memory below 4 GiB that is none\n");
}

static void memory_above_4_gib(void)
{
	uint32_t eax = 0x80000008, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	for (unsigned int bit = 32; bit < (eax & 0xff) && bit < 52; bit++) {
		poke_memory(look_at(1ULL << bit), true);
		poke_memory(look_at((2ULL << bit) - 16), true);
	}
	verdict(others_answer(nr_devs), "all devices",
		": answer after memory above 4 GiB that is none\n");
}

void guest_main(void)
{
	honest_first("hostile_storm");
	all = guest_has_word("long");
	for (unsigned int slot = 1; slot < 32; slot++) {
		if (honest_find(&devs[nr_devs], slot) &&
		    guest_check(run(&devs[nr_devs]), devs[nr_devs].kind->name))
			nr_devs++;
	}
	for (unsigned int i = 0; i < nr_devs; i++) {
		doorbells(i);
		resets(i);
		(void)run(&devs[i]);
	}
	ports();
	strings();
	memory_below_4_gib();
	memory_above_4_gib();
	honest_last("hostile_storm");
}

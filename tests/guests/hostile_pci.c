/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads and writes the configuration space and the BAR of each function at each offset with each width, aligned or not,
 * with several patterns; sets status bits in every order, features that are not offered, queues that are not there;
 * fills MSI-X tables with garbage; moves BARs onto others and onto what is no RAM. After each story the device works.
 * With the parameter "long" it takes every offset of a BAR, and every status a running device can get.
 */
#include "lib/guest.h"
#include "lib/honest.h"
#include "lib/pci_drv.h"

#define PORT_DATA     0xcfc
#define CONFIG_BYTES  256U
#define BAR_BYTES     0x4000U
#define BAR_PART      0x800U
#define BAR_PART_USED 0x50U
#define STATUS	      0x14
#define DEVICE_SELECT 0x00
#define DEVICE_BITS   0x04
#define DRIVER_SELECT 0x08
#define DRIVER_BITS   0x0c
#define CONFIG_VECTOR 0x10
#define QUEUE_SELECT  0x16
#define QUEUE_SIZE    0x18
#define QUEUE_VECTOR  0x1a
#define QUEUE_ENABLE  0x1c
#define QUEUE_DESC    0x20
#define MSIX_TABLE    0x3000
#define CAP_MSIX      0x11

#define ACK	      VIRTIO_STATUS_ACKNOWLEDGE
#define DRIVER	      VIRTIO_STATUS_DRIVER
#define FEATURES_OK   VIRTIO_STATUS_FEATURES_OK
#define DRIVER_OK     VIRTIO_STATUS_DRIVER_OK
#define RUNNING	      (ACK | DRIVER | FEATURES_OK | DRIVER_OK)

static const uint64_t patterns[] = {~0ULL, 0, 0xa5a5a5a5a5a5a5a5, 0x0123456789abcdef};
#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static bool all;
static uint64_t seed = 1;

static uint32_t chance(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 32);
}

static void verdict(bool ok, const struct honest_dev *d, const char *what)
{
	guest_puts(ok ? "ok - " : "not ok - ");
	guest_puts(d->kind->name);
	guest_puts(what);
}

/* ---- configuration space -------------------------------------------------------------------- */

/* At any offset: an access that crosses the data register is one to the next one as well. */
static void poke_config(unsigned int slot, unsigned int off, unsigned int len, uint64_t v)
{
	const uint16_t port = (uint16_t)(PORT_DATA + (off & 3));

	outl(0xcf8, 0x80000000U | slot << 11 | (off & 0xfc));
	if (len == 1) {
		(void)inb(port);
		outb(port, (uint8_t)v);
	} else if (len == 2) {
		(void)inw(port);
		outw(port, (uint16_t)v);
	} else {
		(void)inl(port);
		outl(port, (uint32_t)v);
	}
}

static void poke_function(unsigned int slot)
{
	uint32_t was[CONFIG_BYTES / 4];

	for (unsigned int off = 0; off < CONFIG_BYTES; off += 4)
		was[off / 4] = pci_read(slot, off, 4);
	for (unsigned int p = 0; p < PATTERNS; p++) {
		for (unsigned int len = 1; len <= 4; len *= 2) {
			for (unsigned int off = 0; off < CONFIG_BYTES; off++)
				poke_config(slot, off, len, patterns[p]);
		}
	}
	for (unsigned int off = 0; off < CONFIG_BYTES; off += 4)
		pci_write(slot, off, 4, was[off / 4]);
}

/* The window onto the BAR in configuration space, wherever it is told to look */
static void poke_window(unsigned int slot)
{
	static const uint32_t offsets[] = {
		0,	1,	0x14,	0x1c,	0x3f,	0x40,	0x1000,	    0x2000,	0x2001,
		0x3000, 0x37ff, 0x3800, 0x3ffc, 0x3fff, 0x4000, 0x7fffffff, 0xfffffffc, 0xffffffff};
	static const uint32_t lengths[] = {0, 1, 2, 3, 4, 8, 0xffffffff};
	unsigned int cap = pci_read(slot, PCI_CAPS, 1);

	while (cap && (pci_read(slot, cap, 1) != 9 || pci_read(slot, cap + 3, 1) != 5))
		cap = pci_read(slot, cap + 1, 1);
	for (unsigned int i = 0; cap && i < sizeof(offsets) / 4 * (sizeof(lengths) / 4); i++) {
		pci_write(slot, cap + 4, 1, i % 3 == 2 ? 0xff : 0);
		pci_write(slot, cap + 8, 4, offsets[i % (sizeof(offsets) / 4)]);
		pci_write(slot, cap + 12, 4, lengths[i / (sizeof(offsets) / 4)]);
		for (unsigned int at = 0; at < 4; at++)
			poke_config(slot, cap + 16 + at, 1U << at % 3, patterns[i % PATTERNS]);
	}
}

/* ---- the BAR -------------------------------------------------------------------------------- */

static void poke_bar(uint64_t at, unsigned int len, uint64_t v)
{
	switch (len) {
	case 1:
		(void)mmio_read8(at);
		mmio_write8(at, (uint8_t)v);
		break;
	case 2:
		(void)mmio_read16(at);
		mmio_write16(at, (uint16_t)v);
		break;
	case 4:
		(void)mmio_read32(at);
		mmio_write32(at, (uint32_t)v);
		break;
	default:
		(void)mmio_read64(at);
		mmio_write64(at, v);
		break;
	}
}

static void poke_registers(struct honest_dev *d)
{
	const uint64_t bar = d->v.common & ~(uint64_t)(BAR_BYTES - 1);
	const unsigned int used = all ? BAR_PART : BAR_PART_USED;
	unsigned int p = 0;

	for (uint64_t part = 0; part < BAR_BYTES; part += BAR_PART) {
		for (unsigned int len = 1; len <= 8; len *= 2) {
			for (uint64_t off = 0; off < used; off++)
				poke_bar(bar + part + off, len, patterns[p++ % PATTERNS]);
		}
	}
	for (uint64_t part = BAR_PART - 8; part < BAR_BYTES; part += BAR_PART) {
		for (uint64_t off = 0; off < 16; off++)
			poke_bar(bar + part + off, 8, patterns[p++ % PATTERNS]);
	}
}

/* ---- status, features, queues --------------------------------------------------------------- */

static uint8_t set_status(const struct honest_dev *d, unsigned int value)
{
	mmio_write8(d->v.common + STATUS, (uint8_t)value);
	return virtio_status(&d->v);
}

/* What a driver may see after writing @value to a device whose status was 0 */
static bool status_from_0(uint8_t got, uint8_t value)
{
	const uint8_t ok = ACK | DRIVER;

	if (value == 0)
		return got == 0;
	if (value & VIRTIO_STATUS_FAILED)
		return got == VIRTIO_STATUS_FAILED;
	/* FEATURES_OK without VERSION_1 stays clear, and so nothing comes after it. */
	if ((value & ok) == DRIVER || (value & DRIVER_OK) ||
	    (value & (ok | FEATURES_OK)) == (ACK | FEATURES_OK) ||
	    (value & (ok | FEATURES_OK)) == FEATURES_OK)
		return got & VIRTIO_STATUS_NEEDS_RESET && !(got & DRIVER_OK);
	return got == (value & ok);
}

static bool status_in_any_order(struct honest_dev *d)
{
	bool ok = true;

	for (unsigned int value = 0; value < 256; value++) {
		ok = virtio_reset(&d->v) && ok;
		ok = status_from_0(set_status(d, value), (uint8_t)value) && ok;
		/* DRIVER_OK comes through only by the whole way. */
		ok = !(set_status(d, RUNNING) & DRIVER_OK) && ok;
	}
	return ok;
}

/* A running device that loses a status bit asks for a reset, and one that loses none goes on. */
static bool status_of_running(struct honest_dev *d)
{
	bool ok = true;

	for (unsigned int value = 1; value < 256; value += all ? 1 : 5) {
		uint8_t want = RUNNING;

		ok = honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE) && virtio_go(&d->v) &&
		     ok;
		if ((value & RUNNING) != RUNNING)
			want |= VIRTIO_STATUS_NEEDS_RESET;
		else if (value & VIRTIO_STATUS_FAILED)
			want |= VIRTIO_STATUS_FAILED;
		ok = set_status(d, value) == want && ok;
	}
	return ok;
}

static void put_features(struct honest_dev *d, uint32_t select, uint32_t bits)
{
	mmio_write32(d->v.common + DRIVER_SELECT, select);
	mmio_write32(d->v.common + DRIVER_BITS, bits);
}

/* Each feature alone with VERSION_1: FEATURES_OK stays exactly where it was offered. */
static bool features_one_by_one(struct honest_dev *d)
{
	uint32_t offered[2];
	bool ok = true;

	for (uint32_t i = 0; i < 2; i++) {
		mmio_write32(d->v.common + DEVICE_SELECT, i);
		offered[i] = mmio_read32(d->v.common + DEVICE_BITS);
	}
	for (uint32_t bit = 0; bit < 64; bit++) {
		const bool may = offered[bit / 32] >> bit % 32 & 1;

		ok = virtio_reset(&d->v) && ok;
		set_status(d, ACK | DRIVER);
		put_features(d, 0, bit < 32 ? 1U << bit : 0);
		put_features(d, 1, 1U | (bit < 32 ? 0 : 1U << (bit - 32)));
		ok = !!(set_status(d, ACK | DRIVER | FEATURES_OK) & FEATURES_OK) == may && ok;
	}
	for (uint32_t select = 2; select; select *= 2) {
		ok = virtio_reset(&d->v) && ok;
		set_status(d, ACK | DRIVER);
		put_features(d, select, 0xffffffff);
		put_features(d, 1, 1);
		ok = !(set_status(d, ACK | DRIVER | FEATURES_OK) & FEATURES_OK) && ok;
	}
	return ok;
}

/* Queues that are not there; queues of a running device, which go on as they were */
static bool queues_out_of_turn(struct honest_dev *d)
{
	const uint16_t none[] = {(uint16_t)d->nr_queues, 64, 255, 256, 0x7fff, 0xffff};
	bool ok = honest_begin(d, 0);

	for (unsigned int i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		mmio_write16(d->v.common + QUEUE_SELECT, none[i]);
		for (unsigned int off = QUEUE_SIZE; off < QUEUE_DESC + 24; off += 2)
			poke_bar(d->v.common + off, 2, ~0ULL);
		ok = mmio_read16(d->v.common + QUEUE_SIZE) == 0 &&
		     mmio_read16(d->v.common + QUEUE_ENABLE) == 0 && ok;
	}
	ok = honest_queues(d, HONEST_NO_QUEUE) && virtio_go(&d->v) && ok;
	for (uint16_t q = 0; q < d->nr_queues; q++) {
		mmio_write16(d->v.common + QUEUE_SELECT, q);
		for (uint32_t value = 0; value <= 0xffff; value += 0x5555) {
			mmio_write16(d->v.common + QUEUE_ENABLE, (uint16_t)value);
			mmio_write16(d->v.common + QUEUE_SIZE, (uint16_t)value);
			for (unsigned int off = 0; off < 24; off += 4)
				mmio_write32(d->v.common + QUEUE_DESC + off, value);
		}
	}
	return honest_ask(d, HONEST_NO_QUEUE) && ok;
}

/* ---- interrupts and BARs -------------------------------------------------------------------- */

static unsigned int find_msix(unsigned int slot)
{
	unsigned int cap = pci_read(slot, PCI_CAPS, 1);

	while (cap && pci_read(slot, cap, 1) != CAP_MSIX)
		cap = pci_read(slot, cap + 1, 1);
	return cap;
}

/* A vector of garbage; its messages go to CPUs that are not there, or nowhere. */
static void put_vector(uint64_t entry)
{
	const bool message = chance() & 1;

	mmio_write32(entry, message ? 0xfee10000 | (chance() & 0x7ffff) : chance());
	mmio_write32(entry + 4, chance() & 3 ? 0 : chance());
	mmio_write32(entry + 8, chance());
	mmio_write32(entry + 12, chance() & 3 ? 0 : chance());
}

/* Tables of garbage while the device interrupts, masked and not */
static bool garbage_vectors(struct honest_dev *d)
{
	const uint64_t table = (d->v.common & ~(uint64_t)(BAR_BYTES - 1)) + MSIX_TABLE;
	const unsigned int cap = find_msix(d->v.slot);
	bool ok = cap && honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE) &&
		  virtio_go(&d->v);

	for (unsigned int turn = 0; turn < (all ? 256 : 24); turn++) {
		pci_write(d->v.slot, cap + 2, 2,
			  turn % 5 == 4	  ? 0xc000
			  : turn % 7 == 6 ? 0
					  : 0x8000);
		for (unsigned int i = 0; i <= d->nr_queues + 1; i++)
			put_vector(table + 16UL * i);
		mmio_write16(d->v.common + CONFIG_VECTOR,
			     (uint16_t)(chance() % (d->nr_queues + 3)));
		for (uint16_t q = 0; q <= d->nr_queues; q++) {
			mmio_write16(d->v.common + QUEUE_SELECT, q);
			mmio_write16(d->v.common + QUEUE_VECTOR,
				     (uint16_t)(chance() % (d->nr_queues + 3)));
		}
		ok = honest_ask(d, HONEST_NO_QUEUE) && ok;
		(void)mmio_read64(table + BAR_PART); /* what is pending */
	}
	pci_write(d->v.slot, cap + 2, 2, 0);
	return ok;
}

/* A running device's BAR goes elsewhere, with its doorbells, and comes back */
static bool moved_bars(struct honest_dev *d)
{
	const uint32_t was = pci_read(d->v.slot, PCI_BAR0, 4),
		       other = pci_read(d->v.slot > 1 ? 1 : 2, PCI_BAR0, 4);
	const uint32_t places[] = {0,	       0x00200000,     0xbfffc000, 0xc0000000,
				   other,      other + 0x2000, 0xfdffc000, 0xfe000000,
				   0xfec00000, 0xfee00000,     0xfffbc000, 0xffffc000,
				   0xffffffff};
	bool ok = honest_begin(d, 0) && honest_queues(d, HONEST_NO_QUEUE) && virtio_go(&d->v);

	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		pci_write(d->v.slot, PCI_BAR0, 4, places[i]);
		if (i % 2)
			pci_write(d->v.slot, PCI_COMMAND, 2, 0);
		pci_write(d->v.slot, PCI_BAR0, 4, was);
		pci_write(d->v.slot, PCI_COMMAND, 2, 6);
		ok = honest_ask(d, HONEST_NO_QUEUE) && ok;
	}
	return ok;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static void attack(struct honest_dev *d)
{
	static const struct {
		const char *what, *after;
		bool (*story)(struct honest_dev *d);
	} stories[] = {
		{": each status from 0\n", ": works after it: each status from 0\n",
		 status_in_any_order},
		{": each status of a running device\n", ": works after it: status\n",
		 status_of_running},
		{": each feature alone\n", ": works after it: each feature alone\n",
		 features_one_by_one},
		{": queues out of turn\n", ": works after it: queues out of turn\n",
		 queues_out_of_turn},
		{": vectors of garbage\n", ": works after it: vectors of garbage\n",
		 garbage_vectors},
		{": a BAR that moves\n", ": works after it: a BAR that moves\n", moved_bars},
	};

	for (unsigned int i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		verdict(stories[i].story(d), d, stories[i].what);
		verdict(honest_works(d), d, stories[i].after);
	}
	poke_registers(d);
	verdict(honest_works(d), d, ": works after it: every register of its BAR\n");
}

void guest_main(void)
{
	struct honest_dev d;

	honest_first("hostile_pci");
	all = guest_has_word("long");
	for (unsigned int slot = 0; slot < 32; slot++) {
		if (pci_read(slot, 0, 4) == PCI_NOBODY)
			continue;
		poke_function(slot);
		poke_window(slot);
		if (!honest_find(&d, slot))
			continue;
		verdict(honest_works(&d), &d, ": works after it: every configuration register\n");
		attack(&d);
	}
	honest_last("hostile_pci");
}

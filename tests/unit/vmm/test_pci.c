/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/pci.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "vmm/x86/pci_ports.h"

#define WINDOW	     0xd0000000U
#define WINDOW_BYTES 0x100000U
#define BAR_BYTES    0x4000U

/* A device whose registers read as its own number, and which remembers what was written. */
struct toy {
	struct pci_function fn;
	uint8_t number;
	unsigned int reads, writes, moves;
	unsigned int last_off, last_len;
	bool mapped;
	uint64_t addr;
};

static struct bus bus;
static struct pci pci;
static struct pci_ports ports;
static struct toy toys[PCI_SLOTS_MAX];
static unsigned int resets;

static void toy_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct toy *t = dev;

	cr_assert_leq(off + len, BAR_BYTES);
	if (!write)
		memset(data, t->number, len);
}

static void toy_read(void *dev, unsigned int off UNUSED, unsigned int len UNUSED)
{
	((struct toy *)dev)->reads++;
}

static void toy_written(void *dev, unsigned int off, unsigned int len)
{
	struct toy *t = dev;

	t->writes++;
	t->last_off = off;
	t->last_len = len;
}

static void toy_moved(void *dev, unsigned int bar, bool mapped, uint64_t addr)
{
	struct toy *t = dev;

	cr_assert_eq(bar, 0);
	t->moves++;
	t->mapped = mapped;
	t->addr = addr;
}

static const struct pci_ops toy_ops = {toy_read, toy_written, toy_moved};

static void on_reset(void *arg UNUSED)
{
	resets++;
}

static void toy_init(unsigned int n, uint32_t bar_bytes)
{
	static const struct pci_id id = {0x1af4, 0x1042, 0x1af4, 0x1042, 0x018000, 1};

	toys[n].number = (uint8_t)n;
	pci_function_init(&toys[n].fn, &id, &toy_ops, &toys[n]);
	if (bar_bytes)
		pci_add_bar(&toys[n].fn, 0, bar_bytes, toy_access);
}

static void setup(void)
{
	struct err err = {0};

	bus_init(&bus);
	pci_init(&pci, &bus, WINDOW, WINDOW_BYTES);
	pci_ports_init(&ports, &pci, on_reset, NULL);
	cr_assert_eq(pci_ports_add(&ports, &bus, &err), 0, "%s", err.msg);
	for (unsigned int n = 1; n <= 2; n++) {
		toy_init(n, BAR_BYTES);
		cr_assert_eq(pci_add_function(&pci, &toys[n].fn, &err), 0, "%s", err.msg);
	}
}

static uint32_t in(uint16_t port, unsigned int len)
{
	uint32_t v = 0;

	bus_access(&bus, BUS_PIO, false, port, &v, len);
	return v;
}

static void out(uint16_t port, unsigned int len, uint32_t v)
{
	bus_access(&bus, BUS_PIO, true, port, &v, len);
}

static uint32_t conf_read(unsigned int slot, unsigned int off, unsigned int len)
{
	out(0xcf8, 4, 0x80000000U | slot << 11 | (off & 0xfc));
	return in((uint16_t)(0xcfc + (off & 3)), len);
}

static void conf_write(unsigned int slot, unsigned int off, unsigned int len, uint32_t v)
{
	out(0xcf8, 4, 0x80000000U | slot << 11 | (off & 0xfc));
	out((uint16_t)(0xcfc + (off & 3)), len, v);
}

static uint32_t mmio(uint64_t addr)
{
	uint32_t v = 0;

	bus_access(&bus, BUS_MMIO, false, addr, &v, 4);
	return v;
}

TestSuite(pci, .init = setup);

Test(pci, header)
{
	static const struct {
		unsigned int slot, off, len;
		uint32_t want;
	} rows[] = {
		{0, 0x00, 4, 0x0d578086}, {0, 0x0a, 2, 0x0600},	 {0, 0x0e, 1, 0x00},
		{1, 0x00, 2, 0x1af4},	  {1, 0x02, 2, 0x1042},	 {1, 0x08, 4, 0x01800001},
		{1, 0x08, 1, 0x01},	  {1, 0x0b, 1, 0x01},	 {1, 0x2c, 4, 0x10421af4},
		{1, 0x3d, 1, 0x00},	  {1, 0x10, 4, WINDOW},	 {2, 0x10, 4, WINDOW + BAR_BYTES},
		{3, 0x00, 4, 0xffffffff}, {31, 0x00, 2, 0xffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(conf_read(rows[i].slot, rows[i].off, rows[i].len), rows[i].want,
			     "row %zu: 0x%x", i, conf_read(rows[i].slot, rows[i].off, rows[i].len));
}

Test(pci, address_register)
{
	out(0xcf8, 4, 0xffffffff);
	cr_expect_eq(in(0xcf8, 4), 0x80fffffc, "reserved bits stay 0");
	cr_expect_eq(in(0xcfc, 4), 0xffffffff, "another bus is empty");
	out(0xcf8, 4, 0x80000000 | 1 << 8);
	cr_expect_eq(in(0xcfc, 4), 0xffffffff, "there are no other functions than 0");
	out(0xcf8, 4, 0);
	cr_expect_eq(in(0xcfc, 4), 0xffffffff, "not enabled");
	out(0xcf8, 4, 0x80000000);
	out(0xcf8, 2, 0x0800);
	out(0xcfa, 1, 0x01);
	cr_expect_eq(in(0xcf8, 4), 0x80000000, "only a dword access is the address register's");
	cr_expect_eq(in(0xcfa, 2), 0xffff);
	cr_expect_eq(in(0xcfb, 2), 0xffff, "across both registers");
}

Test(pci, configuration_space_ends)
{
	static const struct {
		unsigned int function, off, len;
	} rows[] = {
		{1 << 8 | 1 << 3, 0, 4}, {1 << 3 | 1, 0, 4},	  {3 << 3, 0, 4},
		{31 << 3, 0, 4},	 {UINT32_MAX, 0, 4},	  {1 << 3, 0x100, 4},
		{1 << 3, 0xfe, 4},	 {1 << 3, UINT32_MAX, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t v = 0;

		pci_config_access(&pci, true, rows[i].function, rows[i].off, &v, rows[i].len);
		pci_config_access(&pci, false, rows[i].function, rows[i].off, &v, rows[i].len);
		cr_expect_eq(v, 0xffffffff, "row %zu", i);
	}
	cr_expect_eq(toys[1].reads + toys[1].writes, 0);
}

Test(pci, reset_control)
{
	out(0xcf9, 1, 0x02);
	cr_expect_eq(resets, 0);
	cr_expect_eq(in(0xcf9, 1), 0x02);
	out(0xcf9, 1, 0x06);
	cr_expect_eq(resets, 1);
	out(0xcf9, 1, 0x06);
	cr_expect_eq(resets, 1, "only on the rising edge");
	out(0xcf8, 4, 0x80000600);
	cr_expect_eq(resets, 1, "a dword is the address register's");
}

Test(pci, write_mask)
{
	for (unsigned int off = 0; off < PCI_CONFIG_BYTES; off += 4) {
		uint32_t before = conf_read(1, off, 4);

		conf_write(1, off, 4, ~before);
		/* command, cache line size, BAR 0, interrupt line */
		if (off != 0x04 && off != 0x0c && off != 0x10 && off != 0x3c)
			cr_expect_eq(conf_read(1, off, 4), before, "offset 0x%x", off);
	}
	cr_expect_eq(conf_read(1, 0x04, 4), 0x0406, "memory, bus master, INTx disable; status 0");
	cr_expect_eq(conf_read(1, 0x3c, 4), 0xff);
}

Test(pci, tells_the_function)
{
	conf_read(1, 0x40, 2);
	cr_expect_eq(toys[1].reads, 1);
	conf_write(1, 0x42, 2, 7);
	cr_expect_eq(toys[1].writes, 1);
	cr_expect_eq(toys[1].last_off, 0x42);
	cr_expect_eq(toys[1].last_len, 2);
	cr_expect_eq(toys[2].reads + toys[2].writes, 0);
}

Test(pci, capabilities)
{
	struct toy *t = &toys[3];

	toy_init(3, 0);
	cr_expect_eq(pci_add_cap(&t->fn, 0x11, 12), 0x40);
	cr_expect_eq(pci_add_cap(&t->fn, 0x09, 17), 0x4c);
	cr_expect_eq(pci_add_cap(&t->fn, 0x09, 4), 0x60);
	cr_assert_eq(pci_add_function(&pci, &t->fn, &(struct err){0}), 0);
	cr_expect_eq(conf_read(3, 0x06, 2), 0x10);
	cr_expect_eq(conf_read(3, 0x34, 1), 0x40);
	cr_expect_eq(conf_read(3, 0x40, 2), 0x4c11);
	cr_expect_eq(conf_read(3, 0x4c, 2), 0x6009);
	cr_expect_eq(conf_read(3, 0x60, 2), 0x0009);
}

Test(pci, bar_answers_while_decode_is_on)
{
	cr_expect_eq(mmio(WINDOW), 0xffffffff);
	conf_write(1, 0x04, 2, 0x02);
	cr_expect_eq(mmio(WINDOW), 0x01010101);
	cr_expect_eq(mmio(WINDOW + BAR_BYTES - 4), 0x01010101);
	cr_expect_eq(mmio(WINDOW + BAR_BYTES), 0xffffffff);
	cr_expect(toys[1].mapped && toys[1].addr == WINDOW);
	conf_write(1, 0x04, 2, 0x04);
	cr_expect_eq(mmio(WINDOW), 0xffffffff);
	cr_expect_not(toys[1].mapped);
	cr_expect_eq(toys[1].moves, 2);
}

Test(pci, bar_size_and_move)
{
	conf_write(1, 0x04, 2, 0x02);
	conf_write(1, 0x10, 4, 0xffffffff);
	cr_expect_eq(conf_read(1, 0x10, 4), ~(BAR_BYTES - 1));
	cr_expect_eq(mmio(0xffffc000), 0xffffffff, "outside the window nothing is decoded");
	cr_expect_eq(mmio(WINDOW), 0xffffffff);
	conf_write(1, 0x10, 4, WINDOW + 0x80000);
	cr_expect_eq(mmio(WINDOW + 0x80000), 0x01010101);
	cr_expect_eq(toys[1].addr, WINDOW + 0x80000);
	/* Byte by byte: from the first on it has left, with the last it has arrived. */
	conf_write(1, 0x11, 1, 0x40);
	conf_write(1, 0x12, 1, 0x09);
	cr_expect_eq(mmio(WINDOW + 0x80000), 0xffffffff);
	cr_expect_eq(mmio(WINDOW + 0x94000), 0x01010101);
	conf_write(1, 0x14, 4, 0xffffffff);
	cr_expect_eq(conf_read(1, 0x14, 4), 0, "a BAR that is not there has no size");
}

Test(pci, bar_leaves_the_window)
{
	static const uint32_t outside[] = {
		0, 0x100000, WINDOW - BAR_BYTES, WINDOW + WINDOW_BYTES, 0xfee00000, 0xffffc000};

	conf_write(1, 0x04, 2, 0x02);
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		conf_write(1, 0x10, 4, outside[i]);
		cr_expect_not(toys[1].mapped, "0x%x", outside[i]);
		cr_expect_eq(bus.space[BUS_MMIO].nr, 0);
	}
	conf_write(1, 0x10, 4, WINDOW + WINDOW_BYTES - BAR_BYTES);
	cr_expect(toys[1].mapped);
}

Test(pci, two_bars_on_one_address)
{
	conf_write(1, 0x04, 2, 0x02);
	conf_write(2, 0x10, 4, WINDOW);
	conf_write(2, 0x04, 2, 0x02);
	cr_expect_eq(mmio(WINDOW), 0x01010101, "the first keeps it");
	cr_expect_not(toys[2].mapped);
	conf_write(1, 0x10, 4, WINDOW + 0x80000);
	cr_expect_eq(mmio(WINDOW), 0x02020202, "until it leaves");
	cr_expect_eq(mmio(WINDOW + 0x80000), 0x01010101);
}

Test(pci, a_hidden_function_is_not_there)
{
	pci_hide_function(&pci, &toys[1].fn);
	cr_expect_eq(conf_read(1, 0x00, 4), 0xffffffff);
	conf_write(1, 0x04, 2, 0x0002);
	cr_expect_eq(mmio(WINDOW), 0xffffffff, "and does not answer");
	cr_expect_eq(conf_read(2, 0x10, 4), WINDOW + BAR_BYTES, "the others stay in their places");
}

Test(pci, runs_out_of_slots)
{
	struct err err = {0};

	for (unsigned int n = 3; n < PCI_SLOTS_MAX; n++) {
		toy_init(n, 0);
		cr_assert_eq(pci_add_function(&pci, &toys[n].fn, &err), 0);
		cr_assert_eq(toys[n].fn.slot, n);
	}
	toy_init(0, 0);
	cr_expect_eq(pci_add_function(&pci, &toys[0].fn, &err), -ENOSPC);
	cr_expect_str_eq(err.msg, "pci: more than 31 devices");
}

Test(pci, runs_out_of_window)
{
	struct err err = {0};

	toy_init(3, WINDOW_BYTES);
	cr_expect_eq(pci_add_function(&pci, &toys[3].fn, &err), -ENOSPC);
	cr_expect_str_eq(err.msg, "pci: no room for BAR 0 of slot 3");
	toy_init(4, WINDOW_BYTES / 2);
	cr_expect_eq(pci_add_function(&pci, &toys[4].fn, &err), 0);
	cr_expect_eq(conf_read(3, 0x10, 4), WINDOW + WINDOW_BYTES / 2, "naturally aligned");
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/bus.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct bus bus;
static struct {
	unsigned int calls;
	void *dev;
	bool write;
	uint64_t off;
	unsigned int len;
} seen;

static void model(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	seen.calls++;
	seen.dev = dev;
	seen.write = write;
	seen.off = off;
	seen.len = len;
	if (!write)
		memset(data, 0x5a, len);
}

static int add(uint64_t base, uint64_t bytes, void *dev)
{
	return bus_add(&bus, BUS_MMIO, base, bytes, model, dev, &(struct err){0});
}

static uint64_t read_at(uint64_t addr, unsigned int len)
{
	uint64_t v = 0;

	seen.calls = 0;
	bus_access(&bus, BUS_MMIO, false, addr, &v, len);
	return v;
}

static void start(void)
{
	bus_init(&bus);
}

TestSuite(bus, .init = start);

Test(bus, access_reaches_its_model_with_the_offset)
{
	int a, b, c;
	uint8_t v = 1;

	/* Not in order: the bus sorts. */
	cr_assert_eq(add(0x3000, 0x10, &c), 0);
	cr_assert_eq(add(0x1000, 0x10, &a), 0);
	cr_assert_eq(add(0x2000, 0x10, &b), 0);
	cr_assert_eq(read_at(0x2004, 4), 0x5a5a5a5a);
	cr_assert(seen.dev == &b && seen.off == 4 && seen.len == 4 && !seen.write);
	read_at(0x1000, 1);
	cr_assert(seen.dev == &a && seen.off == 0);
	bus_access(&bus, BUS_MMIO, true, 0x300f, &v, 1);
	cr_assert(seen.dev == &c && seen.off == 15 && seen.write);
}

Test(bus, addresses_without_a_device_read_as_ones)
{
	static const struct {
		uint64_t addr;
		unsigned int len;
	} unused[] = {
		{0x0fff, 1}, {0x1010, 1}, {0x100e, 4}, {0x0ffe, 4}, {UINT64_MAX, 1}, {0, 8},
	};
	uint64_t v = 0;
	int a;

	cr_assert_eq(add(0x1000, 0x10, &a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(unused); i++) {
		uint64_t ones = unused[i].len == 8 ? UINT64_MAX : (1ULL << 8 * unused[i].len) - 1;

		cr_assert_eq(read_at(unused[i].addr, unused[i].len), ones, "0x%lx", unused[i].addr);
		bus_access(&bus, BUS_MMIO, true, unused[i].addr, &v, unused[i].len);
		cr_assert_eq(seen.calls, 0);
	}
	/* The other space has a range of its own there. */
	bus_access(&bus, BUS_PIO, false, 0x1000, &v, 1);
	cr_assert_eq(v, 0xff);
}

Test(bus, overlaps_are_refused)
{
	static const struct {
		uint64_t base, bytes;
		int rc;
	} cases[] = {
		{0x1000, 1, -EEXIST},	  {0x100f, 1, -EEXIST}, {0xfff, 2, -EEXIST},
		{0x800, 0x2000, -EEXIST}, {0x1010, 0, -EINVAL}, {UINT64_MAX, 2, -EINVAL},
		{0xff0, 0x10, 0},	  {0x1010, 0x10, 0},	{UINT64_MAX, 1, 0},
	};
	int a;

	cr_assert_eq(add(0x1000, 0x10, &a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_assert_eq(add(cases[i].base, cases[i].bytes, &a), cases[i].rc, "case %zu", i);
}

Test(bus, full_bus_refuses)
{
	struct err err = {0};
	int a;

	for (unsigned int i = 0; i < BUS_RANGES_MAX; i++)
		cr_assert_eq(add(i * 16, 16, &a), 0);
	cr_assert_eq(bus_add(&bus, BUS_MMIO, 0x10000, 16, model, &a, &err), -ENOSPC);
	cr_assert_eq(err.code, ENOSPC);
}

Test(bus, removed_range_has_no_device)
{
	int a, b;

	cr_assert_eq(add(0x1000, 0x10, &a), 0);
	cr_assert_eq(add(0x1010, 0x10, &b), 0);
	bus_del(&bus, BUS_MMIO, 0x1004); /* not a beginning: nothing happens */
	read_at(0x1004, 1);
	cr_assert_eq(seen.calls, 1);
	bus_del(&bus, BUS_MMIO, 0x1000);
	cr_assert_eq(read_at(0x1004, 1), 0xff);
	read_at(0x1010, 1);
	cr_assert(seen.calls == 1 && seen.dev == &b);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/rtc.h"

#include <criterion/criterion.h>
#include <time.h>

static int64_t fixed_now;
static struct rtc rtc;

static int64_t now(void)
{
	return fixed_now;
}

static uint8_t get(uint8_t index)
{
	rtc_select(&rtc, index);
	return rtc_read(&rtc);
}

static void set(uint8_t index, uint8_t value)
{
	rtc_select(&rtc, index);
	rtc_write(&rtc, value);
}

static uint64_t get_le(uint8_t index, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | get((uint8_t)(index + bytes));
	return v;
}

Test(rtc, dates_are_those_of_the_c_library)
{
	static const int64_t times[] =
		{
			0,	    59,		86399,	    86400,
			951782399,  951782400, /* leap day */
			951868800,  978307199,	1709164800, 1709251199,
			1709251200, 4102444799, 4107542399, 4107542400, /* 2100 has no leap day */
			1798761599, 1798761600,
		};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		time_t t = times[i];
		struct tm tm;

		fixed_now = times[i];
		rtc_init(&rtc, 64 << 20, 1, now);
		set(0x0b, 0x06); /* 24 hours, binary */
		cr_assert(gmtime_r(&t, &tm));
		cr_assert_eq(get(0), tm.tm_sec, "%ld", t);
		cr_assert_eq(get(2), tm.tm_min);
		cr_assert_eq(get(4), tm.tm_hour);
		cr_assert_eq(get(6), tm.tm_wday + 1, "%ld", t);
		cr_assert_eq(get(7), tm.tm_mday, "%ld: day %u", t, get(7));
		cr_assert_eq(get(8), tm.tm_mon + 1, "%ld", t);
		cr_assert_eq(get(9) + 100 * get(0x32), tm.tm_year + 1900, "%ld", t);
	}
}

Test(rtc, register_b_chooses_the_coding)
{
	fixed_now = 1798761599; /* 2026-12-31 23:59:59 */
	rtc_init(&rtc, 64 << 20, 1, now);
	cr_assert_eq(get(0x0b), 0x02, "BCD and 24 hours after reset");
	cr_assert_eq(get(0), 0x59);
	cr_assert_eq(get(4), 0x23);
	cr_assert_eq(get(9), 0x26);
	cr_assert_eq(get(0x32), 0x20);
	set(0x0b, 0x00); /* 12 hours */
	cr_assert_eq(get(4), 0x91, "11 pm");
	fixed_now = 1798761600; /* midnight */
	cr_assert_eq(get(4), 0x12, "12 am");
	set(0x0b, 0x04);
	cr_assert_eq(get(4), 12);
}

Test(rtc, guest_cannot_set_the_time_or_status)
{
	fixed_now = 1798761599;
	rtc_init(&rtc, 64 << 20, 1, now);
	set(0, 0x11);
	set(0x32, 0x11);
	set(0x0d, 0);
	set(0x0a, 0xff);
	set(0x0f, 0x0a); /* the shutdown byte is memory */
	cr_assert_eq(get(0), 0x59);
	cr_assert_eq(get(0x32), 0x20);
	cr_assert_eq(get(0x0d), 0x80);
	cr_assert_eq(get(0x0a) & 0x80, 0, "never an update in progress");
	cr_assert_eq(get(0x0f), 0x0a);
	cr_assert_eq(get(0x8f), 0x0a, "bit 7 of the index is not an index");
}

Test(rtc, memory_sizes)
{
	static const struct {
		uint64_t mem, ext_kib, above_16m, above_4g;
	} cases[] = {
		{32ULL << 20, 31 << 10, 16 << 4, 0},
		{16ULL << 20, 15 << 10, 0, 0},
		{3ULL << 30, 0xffff, (3072 - 16) << 4, 0},
		{5ULL << 30, 0xffff, (3072 - 16) << 4, 2 << 14},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rtc_init(&rtc, cases[i].mem, 4, now);
		cr_assert_eq(get_le(0x15, 2), 640);
		cr_assert_eq(get_le(0x17, 2), cases[i].ext_kib, "case %zu", i);
		cr_assert_eq(get_le(0x30, 2), cases[i].ext_kib);
		cr_assert_eq(get_le(0x34, 2), cases[i].above_16m, "case %zu", i);
		cr_assert_eq(get_le(0x5b, 3), cases[i].above_4g, "case %zu", i);
		cr_assert_eq(get(0x5f), 3);
	}
}

Test(rtc, ports)
{
	struct bus bus;
	uint8_t v = 0x0d;
	uint8_t both[2] = {0, 0};

	bus_init(&bus);
	rtc_init(&rtc, 64 << 20, 1, now);
	cr_assert_eq(rtc_add(&rtc, &bus, NULL), 0);
	bus_access(&bus, BUS_PIO, true, 0x70, &v, 1);
	bus_access(&bus, BUS_PIO, false, 0x71, &v, 1);
	cr_assert_eq(v, 0x80);
	bus_access(&bus, BUS_PIO, false, 0x70, both, 2);
	cr_assert(both[0] == 0xff && both[1] == 0x80);
}

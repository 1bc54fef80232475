/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/rtc.h"

#include <criterion/criterion.h>
#include <time.h>

#define NEW_YEAR 1798761600LL /* 2027-01-01 00:00:00 */

static int64_t fixed_now;   /* seconds */
static int64_t fixed_ticks; /* and so many of the oscillator's */
static unsigned int rises;
static bool line;
static struct rtc rtc;

static int64_t now(void)
{
	return fixed_now * RTC_HZ + fixed_ticks;
}

static void irq(void *arg UNUSED, bool high)
{
	cr_assert_neq(high, line, "told of changes only");
	rises += high;
	line = high;
}

static void start(int64_t seconds)
{
	const struct rtc_args args = {.mem_bytes = 64 << 20, .nr_vcpus = 1, .now = now, .irq = irq};

	fixed_now = seconds;
	fixed_ticks = 0;
	rises = 0;
	line = false;
	rtc_init(&rtc, &args);
}

/* The clock goes on by so many ticks, and the timer goes off if it was to; whether it was */
static bool pass(int64_t ticks)
{
	bool due;

	fixed_ticks += ticks;
	due = rtc.wake_at <= now();
	if (due)
		rtc_tick(&rtc);
	return due;
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

		start(times[i]);
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
	start(NEW_YEAR - 1);
	cr_assert_eq(get(0x0b), 0x02, "BCD and 24 hours after reset");
	cr_assert_eq(get(0), 0x59);
	cr_assert_eq(get(4), 0x23);
	cr_assert_eq(get(9), 0x26);
	cr_assert_eq(get(0x32), 0x20);
	set(0x0b, 0x00); /* 12 hours */
	cr_assert_eq(get(4), 0x91, "11 pm");
	pass(RTC_HZ); /* midnight */
	cr_assert_eq(get(4), 0x12, "12 am");
	set(0x0b, 0x04);
	cr_assert_eq(get(4), 12);
}

Test(rtc, status_is_the_clocks)
{
	start(NEW_YEAR);
	set(0x0d, 0);
	set(0x0c, 0xff);
	set(0x0a, 0xa6);
	set(0x0f, 0x0a); /* the shutdown byte is memory */
	cr_assert_eq(get(0x0d), 0x80);
	cr_assert_eq(get(0x0c), 0);
	cr_assert_eq(get(0x0a), 0x26, "'update in progress' is never set");
	cr_assert_eq(get(0x0f), 0x0a);
	cr_assert_eq(get(0x8f), 0x0a, "bit 7 of the index is not an index");
	cr_assert(!rtc.high && rtc.wake_at == RTC_NEVER, "no interrupt that was not enabled");
}

Test(rtc, an_update_is_announced)
{
	start(NEW_YEAR);
	cr_assert_eq(get(0x0a), 0x26);
	pass(RTC_HZ - 8);
	cr_assert_eq(get(0x0a), 0xa6);
	set(0x0b, 0x82);
	cr_assert_eq(get(0x0a), 0x26, "none comes while the clock is set");
	set(0x0b, 0x02);
	pass(8);
	cr_assert_eq(get(0x0a), 0x26);
	cr_assert_eq(get(0), 0x01);
}

/* Register, value */
static void set_all(const uint8_t regs[][2], size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		set(regs[i][0], regs[i][1]);
}

Test(rtc, time_that_is_set_is_read_back_and_runs_on)
{
	static const uint8_t bcd[][2] = {{0, 0x58}, {2, 0x59}, {4, 0x23}, {6, 0x03},
					 {7, 0x28}, {8, 0x02}, {9, 0x99}, {0x32, 0x19}};
	static const uint8_t after[][2] = {{0, 0},    {2, 0},	 {4, 0},    {6, 0x04},
					   {7, 0x01}, {8, 0x03}, {9, 0x99}, {0x32, 0x19}};

	start(NEW_YEAR);
	pass(100);
	set(0x0b, 0x82);
	set_all(bcd, ARRAY_SIZE(bcd));
	pass(5 * RTC_HZ);
	for (size_t i = 0; i < ARRAY_SIZE(bcd); i++)
		cr_assert_eq(get(bcd[i][0]), bcd[i][1], "stands still, register %u", bcd[i][0]);
	set(0x0b, 0x02);
	for (size_t i = 0; i < ARRAY_SIZE(bcd); i++)
		cr_assert_eq(get(bcd[i][0]), bcd[i][1], "is read back, register %u", bcd[i][0]);
	pass(2 * RTC_HZ - 101);
	cr_assert_eq(get(0), 0x59, "the oscillator went on while the clock stood");
	pass(1);
	for (size_t i = 0; i < ARRAY_SIZE(after); i++)
		cr_assert_eq(get(after[i][0]), after[i][1], "runs on, register %u", after[i][0]);
}

Test(rtc, time_is_set_in_every_coding)
{
	static const struct {
		uint8_t b, hour, hour_24;
	} cases[] = {
		{0x02, 0x23, 23}, {0x06, 23, 23},   {0x00, 0x12, 0}, {0x00, 0x92, 12},
		{0x00, 0x91, 23}, {0x04, 0x8b, 23}, {0x04, 12, 0},   {0x04, 0x8c, 12},
		{0x00, 0x01, 1},  {0x04, 0x81, 13},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(NEW_YEAR);
		set(0x0b, cases[i].b);
		set(4, cases[i].hour); /* without SET, as the chip allows */
		cr_assert_eq(get(4), cases[i].hour, "case %zu: 0x%x", i, get(4));
		set(0x0b, 0x06);
		cr_assert_eq(get(4), cases[i].hour_24, "case %zu: %u", i, get(4));
	}
}

Test(rtc, divider_starts_with_half_a_second)
{
	start(NEW_YEAR);
	pass(12345);
	/* as Linux sets it */
	set(0x0b, 0x82);
	set(0x0a, 0x76);
	set(0, 0x30);
	pass(3 * RTC_HZ);
	set(0x0b, 0x02);
	cr_assert_eq(get(0), 0x30, "held");
	set(0x0a, 0x26);
	pass(RTC_HZ / 2 - 1);
	cr_assert_eq(get(0), 0x30);
	pass(1);
	cr_assert_eq(get(0), 0x31);
}

Test(rtc, senseless_times_are_taken_for_sensible_ones)
{
	uint32_t seed = 1;

	for (unsigned int i = 0; i < 20000; i++) {
		if (i % 1000 == 0)
			start(NEW_YEAR);
		seed = seed * 1664525 + 1013904223;
		rtc_select(&rtc, seed >> 24 & 0x3f);
		rtc_write(&rtc, (uint8_t)(seed >> 16));
		pass(seed >> 8 & 0xffff);
		(void)rtc_read(&rtc);
	}
	start(NEW_YEAR);
	set(0x0b, 0x82);
	for (unsigned int reg = 0; reg < 10; reg++)
		set((uint8_t)reg, 0xff);
	set(0x0b, 0x06);
	cr_assert(get(0) == 59 && get(2) == 59 && get(4) == 23 && get(7) == 31 && get(8) == 12);
}

Test(rtc, alarm_comes_once_and_the_line_falls_when_it_is_read)
{
	start(NEW_YEAR - 10); /* 23:59:50 */
	set(1, 0x55), set(3, 0x59), set(5, 0x23);
	set(0x0b, 0x22);
	cr_assert_eq(rtc.wake_at, (NEW_YEAR - 5) * RTC_HZ);
	cr_assert_not(pass(5 * RTC_HZ - 1));
	cr_assert(pass(1) && line);
	cr_assert_eq(rtc.wake_at, RTC_NEVER, "nothing is due while the line is up");
	cr_assert_not(pass(100 * RTC_HZ));
	cr_assert_eq(get(0x0c), 0xf0, "update and period were, too");
	cr_assert_not(line);
	cr_assert_eq(get(0x0c), 0);
	cr_assert_eq(rtc.wake_at, (NEW_YEAR - 5 + 86400) * RTC_HZ, "the same time tomorrow");
}

Test(rtc, alarm_registers_may_say_always)
{
	static const struct {
		uint8_t b, hour, minute, second;
		int64_t in; /* seconds from 23:59:50, or never */
	} cases[] = {
		{0x22, 0xff, 0xc0, 0xff, 1},	     {0x22, 0xff, 0xff, 0x49, 59},
		{0x22, 0xff, 0xff, 0x50, 60},	     {0x22, 0xff, 0x05, 0xff, 310},
		{0x22, 0x00, 0xff, 0xff, 10},	     {0x22, 0x23, 0x59, 0x50, 86400},
		{0x22, 0x23, 0x59, 0x49, 86399},     {0x22, 0x22, 0xff, 0xff, 79210},
		{0x22, 0x24, 0, 0, RTC_NEVER},	     {0x22, 0xff, 0x60, 0xff, RTC_NEVER},
		{0x22, 0xff, 0xff, 0x5a, RTC_NEVER}, {0x26, 23, 59, 55, 5},
		{0x20, 0x91, 0x59, 0x55, 5},	     {0x20, 0x12, 0x00, 0x00, 10},
		{0x20, 0x23, 0x59, 0x55, RTC_NEVER}, {0x24, 0x8b, 59, 55, 5},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t at = cases[i].in;

		start(NEW_YEAR - 10);
		set(5, cases[i].hour), set(3, cases[i].minute), set(1, cases[i].second);
		set(0x0b, cases[i].b);
		if (at != RTC_NEVER)
			at = (NEW_YEAR - 10 + at) * RTC_HZ;
		cr_assert_eq(rtc.wake_at, at, "case %zu: %ld", i, rtc.wake_at / RTC_HZ - NEW_YEAR);
	}
}

Test(rtc, alarm_goes_by_the_guests_clock)
{
	start(NEW_YEAR - 10);
	set(1, 0x00), set(3, 0x30), set(5, 0x12);
	set(0x0b, 0xa2);
	cr_assert_eq(rtc.wake_at, RTC_NEVER, "not while it stands still");
	set(4, 0x12), set(2, 0x29), set(0, 0x58);
	set(0x0b, 0x22);
	cr_assert_eq(rtc.wake_at, now() + 2 * RTC_HZ);
	fixed_now -= 3600; /* the host's clock is set back */
	rtc_tick(&rtc);
	cr_assert_eq(rtc.wake_at, (NEW_YEAR - 8) * RTC_HZ);
	fixed_now += 7200; /* and forth */
	rtc_tick(&rtc);
	cr_assert(line);
}

Test(rtc, periods_are_those_of_the_data_sheet)
{
	static const int64_t ticks[16] = {RTC_NEVER, 128, 256, 4,    8,	   16,	 32,   64,
					  128,	     256, 512, 1024, 2048, 4096, 8192, 16384};

	for (uint8_t rate = 0; rate < 16; rate++) {
		start(NEW_YEAR);
		set(0x0a, 0x20 | rate);
		set(0x0b, 0x42);
		cr_assert_eq(rtc.wake_at,
			     ticks[rate] == RTC_NEVER ? RTC_NEVER : now() + ticks[rate],
			     "rate %u: %ld", rate, rtc.wake_at - now());
		set(0x0a, 0x70 | rate);
		cr_assert_eq(rtc.wake_at, RTC_NEVER, "held");
	}
}

Test(rtc, periods_missed_are_one)
{
	start(NEW_YEAR);
	set(0x0a, 0x23); /* 8192 Hz */
	set(0x0b, 0x42);
	cr_assert(pass(4) && line);
	for (unsigned int i = 0; i < 1000; i++)
		cr_assert_not(pass(4), "not answered, not woken");
	cr_assert_eq(rises, 1);
	cr_assert_eq(get(0x0c), 0xc0);
	cr_assert_eq(rtc.wake_at, now() + 4);
	cr_assert(pass(4) && line);
	cr_assert_eq(rises, 2);
}

Test(rtc, flags_come_without_interrupts)
{
	start(NEW_YEAR);
	set(1, 0x01), set(3, 0xff), set(5, 0xff);
	cr_assert_eq(get(0x0c), 0);
	cr_assert_not(pass(RTC_HZ));
	cr_assert_eq(get(0x0c), 0x70);
	cr_assert_eq(get(0x0c), 0);
	pass(RTC_HZ);
	cr_assert_eq(get(0x0c), 0x50);
	pass(RTC_HZ);
	set(0x0b, 0x12); /* the flag waits: enabled, it interrupts at once */
	cr_assert(line);
	set(0x0b, 0x02);
	cr_assert_not(line);
}

Test(rtc, update_interrupt_ends_with_set)
{
	start(NEW_YEAR);
	set(0x0b, 0x12);
	cr_assert_eq(rtc.wake_at, now() + RTC_HZ);
	set(0x0b, 0x92);
	cr_assert_eq(get(0x0b), 0x82);
	set(0x0b, 0x02);
	cr_assert_eq(rtc.wake_at, RTC_NEVER);
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
		const struct rtc_args args = {.mem_bytes = cases[i].mem, .nr_vcpus = 4, .now = now};

		rtc_init(&rtc, &args);
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
	start(NEW_YEAR);
	cr_assert_eq(rtc_add(&rtc, &bus, &(struct err){0}), 0);
	bus_access(&bus, BUS_PIO, true, 0x70, &v, 1);
	bus_access(&bus, BUS_PIO, false, 0x71, &v, 1);
	cr_assert_eq(v, 0x80);
	bus_access(&bus, BUS_PIO, false, 0x70, both, 2);
	cr_assert(both[0] == 0xff && both[1] == 0x80);
}

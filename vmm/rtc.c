/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/rtc.h"

#include <string.h>
#include <time.h>

#include "vmm/x86_layout.h"

#define RTC_REG_A     0x0a
#define RTC_REG_B     0x0b
#define RTC_REG_C     0x0c
#define RTC_REG_D     0x0d

#define RTC_A_32KHZ   0x26 /* no update in progress, oscillator on, 1024 Hz */
#define RTC_B_24H     0x02
#define RTC_B_BINARY  0x04
#define RTC_D_POWERED 0x80
#define RTC_PM	      0x80 /* in the hours of a 12-hour clock */

#define DAY_SECONDS   86400

/** struct rtc_time - Civil time, as the registers have it */
struct rtc_time {
	unsigned int second, minute, hour, weekday, day, month, year;
};

static int64_t rtc_host_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

/*
 * Days since 1970 to a date of the Gregorian calendar. Years are counted from March, so that the
 * leap day is the last of a year: then month lengths repeat with 153 days in 5 months. gmtime_r()
 * would do, but looks for a time zone file first.
 */
static void rtc_civil(int64_t now, struct rtc_time *t)
{
	uint64_t seconds = now > 0 ? (uint64_t)now : 0;
	uint64_t days = seconds / DAY_SECONDS;
	unsigned int rest = (unsigned int)(seconds % DAY_SECONDS);
	uint64_t since = days + 719468; /* from 1 March of the year 0 */
	uint64_t era = since / 146097;
	unsigned int of_era = (unsigned int)(since % 146097);
	unsigned int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned int month = (5 * of_year + 2) / 153;

	t->second = rest % 60;
	t->minute = rest / 60 % 60;
	t->hour = rest / 3600;
	t->weekday = (unsigned int)((days + 4) % 7) + 1; /* 1 is Sunday; 1970 began on a Thursday */
	t->day = of_year - (153 * month + 2) / 5 + 1;
	t->month = month < 10 ? month + 3 : month - 9;
	t->year = (unsigned int)(era * 400) + year + (t->month <= 2);
}

static uint8_t rtc_coded(const struct rtc *r, unsigned int value)
{
	if (r->cmos[RTC_REG_B] & RTC_B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static uint8_t rtc_hour(const struct rtc *r, unsigned int hour)
{
	if (r->cmos[RTC_REG_B] & RTC_B_24H)
		return rtc_coded(r, hour);
	return rtc_coded(r, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? RTC_PM : 0);
}

static bool rtc_is_time(uint8_t index)
{
	return index == 0 || index == 2 || index == 4 || (index >= 6 && index <= 9) ||
	       index == RTC_CENTURY;
}

static uint8_t rtc_read_time(const struct rtc *r)
{
	struct rtc_time t;

	rtc_civil(r->now(), &t);
	switch (r->index) {
	case 0: return rtc_coded(r, t.second);
	case 2: return rtc_coded(r, t.minute);
	case 4: return rtc_hour(r, t.hour);
	case 6: return rtc_coded(r, t.weekday);
	case 7: return rtc_coded(r, t.day);
	case 8: return rtc_coded(r, t.month);
	case 9: return rtc_coded(r, t.year % 100);
	default: return rtc_coded(r, t.year / 100);
	}
}

uint8_t rtc_read(struct rtc *r)
{
	if (rtc_is_time(r->index))
		return rtc_read_time(r);
	return r->cmos[r->index];
}

void rtc_select(struct rtc *r, uint8_t index)
{
	r->index = index & (RTC_CMOS_BYTES - 1); /* bit 7 masks NMIs on a PC */
}

void rtc_write(struct rtc *r, uint8_t value)
{
	if (rtc_is_time(r->index) || r->index == RTC_REG_C || r->index == RTC_REG_D)
		return;
	/* Bit 7 of register A is "update in progress", which is never so here. */
	r->cmos[r->index] = r->index == RTC_REG_A ? value & 0x7f : value;
}

static void rtc_access(void *dev, bool write, uint64_t off, void *data, unsigned int len)
{
	struct rtc *r = dev;
	uint8_t *byte = data;

	for (unsigned int i = 0; i < len; i++) {
		bool index = off + i == 0;

		if (write && index)
			rtc_select(r, byte[i]);
		else if (write)
			rtc_write(r, byte[i]);
		else
			byte[i] = index ? 0xff : rtc_read(r);
	}
}

/* A little-endian number in @nr CMOS bytes from @at, at most what fits */
static void rtc_store(struct rtc *r, unsigned int at, unsigned int nr, uint64_t value)
{
	uint64_t max = (1ULL << (8 * nr)) - 1;

	if (value > max)
		value = max;
	for (unsigned int i = 0; i < nr; i++)
		r->cmos[at + i] = (uint8_t)(value >> (8 * i));
}

static uint64_t above(uint64_t bytes, uint64_t limit)
{
	return bytes > limit ? bytes - limit : 0;
}

void rtc_init(struct rtc *r, uint64_t mem_bytes, unsigned int nr_vcpus, int64_t (*now)(void))
{
	uint64_t low = mem_bytes < X86_HOLE ? mem_bytes : X86_HOLE;

	*r = (struct rtc){.now = now ? now : rtc_host_now};
	r->cmos[RTC_REG_A] = RTC_A_32KHZ;
	r->cmos[RTC_REG_B] = RTC_B_24H;
	r->cmos[RTC_REG_D] = RTC_D_POWERED;
	rtc_store(r, 0x15, 2, 640); /* KiB of base memory */
	rtc_store(r, 0x17, 2, above(low, 1 << 20) >> 10);
	rtc_store(r, 0x30, 2, above(low, 1 << 20) >> 10);
	rtc_store(r, 0x34, 2, above(low, 16 << 20) >> 16);
	rtc_store(r, 0x5b, 3, above(mem_bytes, X86_HOLE) >> 16);
	rtc_store(r, 0x5f, 1, nr_vcpus - 1);
}

int rtc_add(struct rtc *r, struct bus *bus, struct err *err)
{
	return bus_add(bus, BUS_PIO, X86_PORT_RTC, 2, rtc_access, r, err);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/rtc_regs.h"

#define DAY_SECONDS 86400

int64_t rtc_regs_seconds(int64_t ticks)
{
	return (ticks - (ticks & (RTC_HZ - 1))) / RTC_HZ;
}

bool rtc_regs_held(const uint8_t *cmos)
{
	return (cmos[RTC_REG_A] & RTC_A_RESET) == RTC_A_RESET;
}

bool rtc_regs_runs(const uint8_t *cmos)
{
	return !rtc_regs_held(cmos) && !(cmos[RTC_REG_B] & RTC_B_SET);
}

uint8_t rtc_regs_coded(const uint8_t *cmos, unsigned int value)
{
	if (cmos[RTC_REG_B] & RTC_B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

uint8_t rtc_regs_coded_hour(const uint8_t *cmos, unsigned int hour)
{
	if (cmos[RTC_REG_B] & RTC_B_24H)
		return rtc_regs_coded(cmos, hour);
	return rtc_regs_coded(cmos, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? RTC_PM : 0);
}

unsigned int rtc_regs_decoded(const uint8_t *cmos, uint8_t byte)
{
	if (cmos[RTC_REG_B] & RTC_B_BINARY)
		return byte;
	return (byte >> 4) * 10U + (byte & 0xf);
}

unsigned int rtc_regs_decoded_hour(const uint8_t *cmos, uint8_t byte)
{
	if (cmos[RTC_REG_B] & RTC_B_24H)
		return rtc_regs_decoded(cmos, byte);
	return rtc_regs_decoded(cmos, byte & (uint8_t)~RTC_PM) % 12 + (byte & RTC_PM ? 12 : 0);
}

int64_t rtc_regs_next_period(const uint8_t *cmos, int64_t from)
{
	unsigned int rate = cmos[RTC_REG_A] & RTC_A_RATE;
	int64_t ticks;

	if (rate == 0 || rtc_regs_held(cmos))
		return RTC_NEVER;
	/* Rates 1 and 2 have the periods of 8 and 9: see the data sheet's table for 32 kHz. */
	ticks = 1LL << (rate < 3 ? rate + 6 : rate - 1);
	return (from | (ticks - 1)) + 1;
}

int64_t rtc_regs_next_update(const uint8_t *cmos, int64_t from)
{
	return rtc_regs_runs(cmos) ? (from | (RTC_HZ - 1)) + 1 : RTC_NEVER;
}

/* Whether an alarm register matches this value; bytes are compared as they are encoded */
static bool rtc_regs_alarm_is(const uint8_t *cmos, uint8_t index, uint8_t coded)
{
	return cmos[index] >= RTC_ANY || cmos[index] == coded;
}

int64_t rtc_regs_next_alarm(const uint8_t *cmos, int64_t from)
{
	int64_t second = rtc_regs_seconds(from) + 1;
	unsigned int at;

	if (!rtc_regs_runs(cmos))
		return RTC_NEVER;
	at = (unsigned int)((second % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS);
	/* Skips whole hours, then minutes, then seconds: one day takes no more steps than this. */
	for (unsigned int step = 0, i = 0; i < 2 * (24 + 60 + 60); i++) {
		if (!rtc_regs_alarm_is(cmos, 5, rtc_regs_coded_hour(cmos, at / 3600)))
			step = 3600 - at % 3600;
		else if (!rtc_regs_alarm_is(cmos, 3, rtc_regs_coded(cmos, at / 60 % 60)))
			step = 60 - at % 60;
		else if (!rtc_regs_alarm_is(cmos, 1, rtc_regs_coded(cmos, at % 60)))
			step = 1;
		else
			return second * RTC_HZ;
		second += step;
		at = (at + step) % DAY_SECONDS;
	}
	return RTC_NEVER;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The Gregorian calendar, for the years that a real-time clock can show
 *
 * gmtime_r() and timegm() would do, but they open a time zone file.
 */
#ifndef VMRUN_VMM_X86_RTC_DATE_H
#define VMRUN_VMM_X86_RTC_DATE_H

#include "devices/core/base.h"

/** struct rtc_date - A date with its time; @weekday 1 is Sunday, @month and @day count from 1 */
struct rtc_date {
	unsigned int second, minute, hour, weekday, day, month, year;
};

/** rtc_date_of() - The date of @seconds since 1970, at least the first of the year 0 */
struct rtc_date rtc_date_of(int64_t seconds);

/**
 * rtc_date_seconds() - Seconds since 1970 of a date; ignores the weekday
 * @d:		Any numbers: each is clamped to the range of its field; a day beyond the month's end is one of
 *		the next month
 */
int64_t rtc_date_seconds(const struct rtc_date *d);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The Gregorian calendar, for the years a real-time clock can say
 *
 * gmtime_r() and timegm() would do, but look for a time zone file first.
 */
#ifndef VMRUN_VMM_X86_RTC_DATE_H
#define VMRUN_VMM_X86_RTC_DATE_H

#include "devices/core/base.h"

/** struct rtc_date - A date with its time; @weekday 1 is Sunday, @month and @day count from 1 */
struct rtc_date {
	unsigned int second, minute, hour, weekday, day, month, year;
};

/** rtc_date_of() - The date of @seconds since 1970; what is before the year 0 is its beginning */
struct rtc_date rtc_date_of(int64_t seconds);

/**
 * rtc_date_seconds() - Seconds since 1970 of a date, whose weekday is not looked at
 * @d:		Any numbers: each is taken for the nearest its field can have, a day that the month
 *		does not have for one of the next month
 */
int64_t rtc_date_seconds(const struct rtc_date *d);

#endif

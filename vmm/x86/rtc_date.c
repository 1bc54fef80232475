/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/rtc_date.h"

/*
 * Years begin in March here, so that the leap day is the last of a year and month lengths repeat with 153
 * days in 5 months. Days count from 1 March of the year -400, one era of 400 years before the year 0, so that
 * no number is negative.
 */
#define DAY_SECONDS 86400
#define ERA_DAYS    146097
#define ERA_YEARS   400
#define DAYS_1970   (719468 + ERA_DAYS)
#define FIRST	    (-719528LL * DAY_SECONDS) /* start of the year 0 */
#define YEAR_MAX    9999

struct rtc_date rtc_date_of(int64_t seconds)
{
	uint64_t since = (uint64_t)((seconds > FIRST ? seconds : FIRST) +
				    (int64_t)DAYS_1970 * DAY_SECONDS);
	uint64_t days = since / DAY_SECONDS;
	unsigned int rest = (unsigned int)(since % DAY_SECONDS);
	unsigned int of_era = (unsigned int)(days % ERA_DAYS);
	unsigned int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned int month = (5 * of_year + 2) / 153;

	return (struct rtc_date){
		.second = rest % 60,
		.minute = rest / 60 % 60,
		.hour = rest / 3600,
		.weekday = (unsigned int)((days + 3) % 7) + 1, /* it began on a Wednesday */
		.day = of_year - (153 * month + 2) / 5 + 1,
		.month = month < 10 ? month + 3 : month - 9,
		.year = (unsigned int)(days / ERA_DAYS) * ERA_YEARS + year + (month >= 10) -
			ERA_YEARS,
	};
}

static unsigned int rtc_date_within(unsigned int value, unsigned int min, unsigned int max)
{
	return value < min ? min : value > max ? max : value;
}

int64_t rtc_date_seconds(const struct rtc_date *d)
{
	unsigned int month = rtc_date_within(d->month, 1, 12);
	unsigned int year = rtc_date_within(d->year, 0, YEAR_MAX) + ERA_YEARS - (month <= 2);
	unsigned int from_march = (month + 9) % 12;
	unsigned int of_year = (153 * from_march + 2) / 5 + rtc_date_within(d->day, 1, 31) - 1;
	unsigned int of_era = year % ERA_YEARS;
	int64_t days = (int64_t)(year / ERA_YEARS) * ERA_DAYS + of_era * 365 + of_era / 4 -
		       of_era / 100 + of_year;

	return (days - DAYS_1970) * DAY_SECONDS + rtc_date_within(d->hour, 0, 23) * 3600 +
	       rtc_date_within(d->minute, 0, 59) * 60 + rtc_date_within(d->second, 0, 59);
}

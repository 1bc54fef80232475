/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/clock.h"

#include <stdio.h>
#include <time.h>

#include "devices/core/fmt.h"

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

void clock_rfc3339(char ret[CLOCK_TEXT_BYTES], unsigned int digits)
{
	struct timespec t;
	struct tm tm;
	char fraction[16];
	size_t len;

	vr_assert(digits <= 9);
	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	len = strftime(ret, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	fmt_into(fraction, sizeof(fraction), ".%09ld", t.tv_nsec);
	if (digits == 0)
		fraction[0] = '\0';
	else
		fraction[1 + digits] = '\0';
	fmt_into(ret + len, CLOCK_TEXT_BYTES - len, "%sZ", fraction);
}

void phases_add(struct phases *p, const char *prefix, const char *name, uint64_t ns)
{
	if (!p || p->nr == CLOCK_PHASES_MAX)
		return;
	fmt_into(p->item[p->nr].name, sizeof(p->item[0].name), "%s%s%s", prefix, *prefix ? " " : "",
		 name);
	p->item[p->nr++].ns = ns;
}

void phases_mark(struct phases *p, const char *name)
{
	phases_add(p, "", name, clock_ns());
}

static int clock_by_time(const void *a, const void *b)
{
	const struct phase *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

void phases_print(struct phases *p, int fd)
{
	uint64_t before = p->start_ns;

	qsort(p->item, p->nr, sizeof(p->item[0]), clock_by_time);
	for (unsigned int i = 0; i < p->nr; i++) {
		const uint64_t ns = p->item[i].ns;

		dprintf(fd, "vmrun: %9.3f ms  %+8.3f  %s\n", (double)(ns - p->start_ns) / 1e6,
			(double)(ns - before) / 1e6, p->item[i].name);
		before = ns;
	}
}

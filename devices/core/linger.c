/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/linger.h"

#include <time.h>

static uint64_t linger_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* Whether a request comes in time */
static bool linger_look(struct vq *q, unsigned int nr)
{
	const uint64_t end = linger_now_ns() + LINGER_NS;

	do {
		for (unsigned int i = 0; i < nr; i++)
			if (vq_has(&q[i], 1))
				return true;
	} while (linger_now_ns() < end);
	return false;
}

void linger(struct linger *l, struct vq *q, unsigned int nr)
{
	if (l->skip > 0) {
		l->skip--;
	} else if (linger_look(q, nr)) {
		l->level -= l->level > 0;
	} else {
		l->level += l->level < LINGER_LEVELS;
		l->skip = (1U << l->level) - 1;
	}
}

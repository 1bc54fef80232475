/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/bucket.h"

#define NSEC 1000000000ULL

_Static_assert(BUCKET_RATE_MAX <= UINT64_MAX / NSEC - 1, "products fit");

void bucket_init(struct bucket *b, uint64_t rate_per_s, uint64_t burst)
{
	vr_assert(rate_per_s <= BUCKET_RATE_MAX && burst <= BUCKET_BURST_MAX);
	vr_assert(rate_per_s == 0 || burst > 0);
	*b = (struct bucket){.rate_per_s = rate_per_s, .burst = burst, .credit = (int64_t)burst};
}

/* How long it takes to earn @amount, rounded up */
static uint64_t bucket_time(const struct bucket *b, uint64_t amount)
{
	uint64_t rest = amount % b->rate_per_s;

	return amount / b->rate_per_s * NSEC + (rest * NSEC + b->rate_per_s - 1) / b->rate_per_s;
}

/* Counts the credit earned up to @now_ns; time that made no whole token stays to be counted */
static void bucket_fill(struct bucket *b, uint64_t now_ns)
{
	uint64_t room = (uint64_t)((int64_t)b->burst - b->credit);
	uint64_t passed = now_ns - b->seen_ns;
	uint64_t earned;

	if (room == 0 || passed >= bucket_time(b, room)) {
		b->credit = (int64_t)b->burst;
		b->seen_ns = now_ns;
		return;
	}
	earned = passed / NSEC * b->rate_per_s + passed % NSEC * b->rate_per_s / NSEC;
	b->credit += (int64_t)earned;
	b->seen_ns += bucket_time(b, earned);
}

uint64_t bucket_ready_ns(struct bucket *b, uint64_t now_ns)
{
	if (b->rate_per_s == 0)
		return 0;
	bucket_fill(b, now_ns);
	return b->credit > 0 ? 0 : b->seen_ns + bucket_time(b, 1 + (uint64_t)-b->credit);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/bucket.h"

#include <criterion/criterion.h>

#define S 1000000000ULL

Test(bucket, unlimited_never_waits)
{
	struct bucket b;

	bucket_init(&b, 0, 0);
	for (unsigned int i = 0; i < 100; i++) {
		cr_assert_eq(bucket_ready_ns(&b, 5), 0);
		bucket_spend(&b, BUCKET_BURST_MAX);
	}
}

Test(bucket, a_burst_passes_then_the_rate)
{
	struct bucket b;
	uint64_t now = 7 * S;

	bucket_init(&b, 1000, 3);
	for (unsigned int i = 0; i < 3; i++) {
		cr_assert_eq(bucket_ready_ns(&b, now), 0);
		bucket_spend(&b, 1);
	}
	for (unsigned int i = 1; i < 50; i++) {
		cr_assert_eq(bucket_ready_ns(&b, now), 7 * S + i * (S / 1000), "%u", i);
		now = 7 * S + i * (S / 1000);
		cr_assert_neq(bucket_ready_ns(&b, now - 1), 0);
		cr_assert_eq(bucket_ready_ns(&b, now), 0);
		bucket_spend(&b, 1);
	}
}

Test(bucket, debt_is_paid_by_waiting)
{
	struct bucket b;

	bucket_init(&b, 100, 10);
	cr_assert_eq(bucket_ready_ns(&b, S), 0);
	bucket_spend(&b, 209); /* 199 in debt */
	cr_assert_eq(bucket_ready_ns(&b, S), 3 * S);
	cr_assert_eq(bucket_ready_ns(&b, 2 * S), 3 * S);
	cr_assert_eq(bucket_ready_ns(&b, 3 * S), 0);
}

Test(bucket, no_more_than_the_burst_is_saved_up)
{
	struct bucket b;

	bucket_init(&b, 1, 5);
	cr_assert_eq(bucket_ready_ns(&b, 1000000 * S), 0);
	bucket_spend(&b, 5);
	cr_assert_eq(bucket_ready_ns(&b, 1000000 * S), 1000001 * S);
}

/* Asking often must not lose what a fraction of a token takes, and must not gain either */
Test(bucket, the_rate_is_exact_however_often_it_is_asked)
{
	static const uint64_t rates[] = {1, 3, 7, 999, 1000003, 12345678901, BUCKET_RATE_MAX};

	for (unsigned int i = 0; i < ARRAY_SIZE(rates); i++) {
		struct bucket b;
		uint64_t spent = 0, now = S;

		bucket_init(&b, rates[i], rates[i] / 5000 + 10);
		for (unsigned int k = 0; k < 100000; k++) {
			now += 30000 + k % 7;
			if (bucket_ready_ns(&b, now) == 0) {
				uint64_t amount = rates[i] / 20000 + 1;

				bucket_spend(&b, amount);
				spent += amount;
			}
		}
		/* 3 s and 300 us have passed; the burst and one amount more may have. */
		cr_assert_leq(spent, rates[i] * 3 + rates[i] / 3000 + rates[i] / 4000 + 12, "%lu",
			      rates[i]);
		cr_assert_geq(spent, rates[i] * 3 - rates[i] / 50 - 1, "%lu", rates[i]);
	}
}

Test(bucket, the_largest_numbers_fit)
{
	struct bucket b;

	bucket_init(&b, BUCKET_RATE_MAX, BUCKET_BURST_MAX);
	cr_assert_eq(bucket_ready_ns(&b, UINT64_MAX / 2), 0);
	bucket_spend(&b, BUCKET_BURST_MAX);
	bucket_spend(&b, BUCKET_BURST_MAX);
	cr_assert_eq(bucket_ready_ns(&b, UINT64_MAX / 2), UINT64_MAX / 2 + 64 * S + 1);
	bucket_init(&b, 1, BUCKET_BURST_MAX);
	cr_assert_eq(bucket_ready_ns(&b, 1), 0);
	bucket_spend(&b, BUCKET_BURST_MAX);
	cr_assert_gt(bucket_ready_ns(&b, 2), 2);
}

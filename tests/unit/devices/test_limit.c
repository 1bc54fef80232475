/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/limit.h"

#include <criterion/criterion.h>

Test(limit, waits_for_both_of_its_buckets)
{
	const struct net_rate rate = {
		.bytes_per_s = 10, .burst_bytes = 1000, .packets_per_s = 1, .burst_packets = 1};
	struct limit l, off;

	limit_init(&off, &(struct net_rate){0});
	limit_spend(&off, 1 << 30);
	cr_assert(!off.on && limit_ready_ns(&off) == 0);
	limit_init(&l, &rate);
	cr_assert(l.on && limit_ready_ns(&l) == 0);
	limit_spend(&l, 10);
	cr_assert_gt(limit_ready_ns(&l), limit_now_ns());
	limit_init(&l, &rate);
	cr_assert_eq(limit_ready_ns(&l), 0);
	limit_spend(&l, 1100);
	cr_assert_gt(limit_ready_ns(&l), limit_now_ns() + 9000000000ULL);
}

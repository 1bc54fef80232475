/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Token bucket with debt
 *
 * With any credit one may spend any amount, and pays for the excess by waiting: the size of a frame is
 * known only after it was moved. Over any time t at most burst + rate * t + one amount is spent.
 */
#ifndef VMRUN_DEVICES_CORE_BUCKET_H
#define VMRUN_DEVICES_CORE_BUCKET_H

#include "devices/core/base.h"

#define BUCKET_RATE_MAX  (1ULL << 34) /* a second */
#define BUCKET_BURST_MAX (1ULL << 40)

/**
 * struct bucket - One limit
 * @rate_per_s:	0: unlimited
 * @burst:	Most credit that can be saved up
 * @credit:	What may be spent; negative while in debt
 * @seen_ns:	CLOCK_MONOTONIC time up to which credit was counted
 */
struct bucket {
	uint64_t rate_per_s;
	uint64_t burst;
	int64_t credit;
	uint64_t seen_ns;
};

/**
 * bucket_init() - A full bucket
 * @b:		Overwritten whole
 * @rate_per_s:	Up to BUCKET_RATE_MAX; 0: unlimited
 * @burst:	1 to BUCKET_BURST_MAX, unless it is unlimited
 *
 * Context: any
 * Syscalls: none
 */
void bucket_init(struct bucket *b, uint64_t rate_per_s, uint64_t burst);

/**
 * bucket_ready_ns() - When there will be credit; 0 when there is now
 * @now_ns:	CLOCK_MONOTONIC, not before an earlier call's
 *
 * Context: any
 * Syscalls: none
 * Return: 0 when there is some now, or it is unlimited; else a time after @now_ns
 */
uint64_t bucket_ready_ns(struct bucket *b, uint64_t now_ns);

/** bucket_spend() - Take @amount, up to BUCKET_BURST_MAX, with or without credit */
static inline void bucket_spend(struct bucket *b, uint64_t amount)
{
	if (b->rate_per_s > 0)
		b->credit -= (int64_t)amount;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/limit.h"

#include <time.h>

#define NSEC 1000000000ULL

void limit_init(struct limit *l, const struct net_rate *rate)
{
	bucket_init(&l->bytes, rate->bytes_per_s, rate->burst_bytes);
	bucket_init(&l->packets, rate->packets_per_s, rate->burst_packets);
	l->on = rate->bytes_per_s > 0 || rate->packets_per_s > 0;
}

uint64_t limit_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC + (uint64_t)t.tv_nsec;
}

uint64_t limit_wait_ns(struct limit *l)
{
	uint64_t now = limit_now_ns();
	uint64_t bytes = bucket_ready_ns(&l->bytes, now);
	uint64_t packets = bucket_ready_ns(&l->packets, now);

	return bytes > packets ? bytes : packets;
}

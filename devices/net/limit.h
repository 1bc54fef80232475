/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Rate limits of a network device: bytes and packets, each a bucket
 */
#ifndef VMRUN_DEVICES_NET_LIMIT_H
#define VMRUN_DEVICES_NET_LIMIT_H

#include "devices/core/bucket.h"
#include "devices/core/settings.h"

/** struct limit - Limits of one direction; while they are off the clock is not read */
struct limit {
	bool on;
	struct bucket bytes, packets;
};

/**
 * limit_init() - A limit that starts with all it may save up; the record has been checked
 * @l:		Overwritten whole
 * @rate:	Obeys its rules (boot_check_dev)
 *
 * Context: any
 * Syscalls: none
 */
void limit_init(struct limit *l, const struct net_rate *rate);

/**
 * limit_now_ns() - CLOCK_MONOTONIC.
 *
 * Context: any
 * Syscalls: clock_gettime (vDSO)
 * Return: CLOCK_MONOTONIC
 */
uint64_t limit_now_ns(void);

/**
 * limit_wait_ns() - When the next packet may pass; 0: now
 *
 * Context: any
 * Syscalls: clock_gettime (vDSO)
 * Return: 0 when it may now, else when
 */
uint64_t limit_wait_ns(struct limit *l);

/** limit_ready_ns() - The same, at no cost for a limit that is off */
static inline uint64_t limit_ready_ns(struct limit *l)
{
	return l->on ? limit_wait_ns(l) : 0;
}

static inline void limit_spend(struct limit *l, uint64_t bytes)
{
	bucket_spend(&l->bytes, bytes);
	bucket_spend(&l->packets, 1);
}

#endif

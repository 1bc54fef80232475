/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Ports and MMIO: which register model answers which address
 *
 * One mutex serialises every access of every vCPU: register accesses are rare (doorbells go by
 * ioeventfd, interrupts by irqfd), and so no model needs a lock of its own.
 */
#ifndef VMRUN_VMM_BUS_H
#define VMRUN_VMM_BUS_H

#include <pthread.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define BUS_RANGES_MAX 64

enum bus_space { BUS_PIO, BUS_MMIO };

/**
 * struct bus_range - One model's addresses
 * @access:	Carry out one access of @len (1, 2, 4 or 8) bytes at @off into the range; on a read
 *		fill @data whole. Guest-supplied: any @off and @len that stays inside may come.
 *		Runs with the bus lock held.
 */
struct bus_range {
	uint64_t base, bytes;
	void (*access)(void *dev, bool write, uint64_t off, void *data, unsigned int len);
	void *dev;
};

struct bus {
	pthread_mutex_t lock;
	struct {
		unsigned int nr;
		struct bus_range range[BUS_RANGES_MAX]; /* sorted by base, disjoint */
	} space[2];
};

void bus_init(struct bus *b);

/** bus_add() - -EEXIST when it overlaps a range, -EINVAL when empty or wrapping, -ENOSPC when full.
 * The lock is held by the caller, or the VM does not run yet. */
MUST_CHECK int bus_add(struct bus *b, enum bus_space s, uint64_t base, uint64_t bytes,
		       void (*access)(void *, bool, uint64_t, void *, unsigned int), void *dev,
		       struct err *err);

/** bus_del() - Remove the range that starts at @base, if any. As bus_add() about the lock. */
void bus_del(struct bus *b, enum bus_space s, uint64_t base);

/**
 * bus_wait() - Wait up to @ms for @fd, and let others have the bus lock, which the caller holds, meanwhile
 * @fd:		-1 waits for nothing
 *
 * What the caller has looked at may have changed afterwards.
 * Context: a model.  Syscalls: poll futex
 * Return: whether it is readable or at its end
 */
bool bus_wait(struct bus *b, int fd, unsigned int ms);

/**
 * bus_access() - Carry out a vCPU's access
 *
 * What no model claims, or straddles a range's end, reads as ones and swallows writes.
 * Context: any vCPU thread.  Syscalls: futex, and those of the model
 */
void bus_access(struct bus *b, enum bus_space s, bool write, uint64_t addr, void *data,
		unsigned int len);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Ports and MMIO: which register model answers which address
 *
 * One mutex serialises all accesses of all vCPUs, so no model needs a lock of its own. Accesses are rare:
 * doorbells go by ioeventfd, interrupts by irqfd.
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
 * @access:	Carries out one access of @len (1, 2, 4 or 8) bytes at offset @off of the range; a read fills
 *		all of @data. The guest chooses @off and @len; they never leave the range. Runs with the
 *		bus lock held.
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

/** bus_init() - A bus without ranges */
void bus_init(struct bus *b);

/**
 * bus_add() - Add a range
 *
 * The caller holds the lock, or the VM does not run yet.
 * Return: 0; -EEXIST when it overlaps another, -EINVAL when it is empty or wraps, -ENOSPC
 */
MUST_CHECK int bus_add(struct bus *b, enum bus_space s, uint64_t base, uint64_t bytes,
		       void (*access)(void *, bool, uint64_t, void *, unsigned int), void *dev,
		       struct err *err);

/** bus_del() - Remove the range that starts at @base, if there is one; about the lock see bus_add() */
void bus_del(struct bus *b, enum bus_space s, uint64_t base);

/**
 * bus_wait() - Release the bus lock, wait up to @ms until @fd is readable, take the lock again
 * @fd:		-1 = wait @ms in any case
 *
 * State that the lock protects may have changed when this returns.
 * Context: a model, bus lock held
 * Syscalls: poll futex
 * Return: whether @fd is readable or at its end
 */
bool bus_wait(struct bus *b, int fd, unsigned int ms);

/**
 * bus_access() - Carry out a vCPU's access
 *
 * An address of no model, and an access across the end of a range, reads as ones; writes have no effect.
 * Context: any vCPU thread
 * Syscalls: futex, and those of the model
 */
void bus_access(struct bus *b, enum bus_space s, bool write, uint64_t addr, void *data,
		unsigned int len);

#endif

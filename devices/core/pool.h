/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Threads that carry out what waits while the loop goes on
 *
 * The loop and the threads share two pipes, and through them pass numbers of slots, a byte each:
 *
 *   loop    --- work pipe --->  one thread takes a number, carries out that slot's work,
 *           <--- done pipe ---  and gives the number back
 *
 * A slot belongs to the thread that holds its number, so nothing is locked and nothing is shared. The kernel
 * wakes one thread for each number. The threads exist before lockdown; they make the calls of the device,
 * and read and write pipes.
 */
#ifndef VMRUN_DEVICES_CORE_POOL_H
#define VMRUN_DEVICES_CORE_POOL_H

#include <pthread.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/kind.h"

/* A slot's number is one byte, and a pipe takes as many at least */
#define POOL_SLOTS_MAX 128U

/**
 * struct pool - The threads; zeroed: none
 * @work, @done: The pipes; [0] to read from
 * @ended:	Slots whose number is in @done. A thread counts after it has written, so that a reader who
 *		relies on it does not wait; it may be too low for a moment
 * @run:	Carries out what is in a slot; called by any thread, with @arg
 */
struct pool {
	int work[2], done[2];
	int ended;
	void (*run)(void *arg, unsigned int slot);
	void *arg;
	unsigned int nr_threads;
	pthread_t thread[KIND_THREADS_MAX];
};

/**
 * pool_init() - Make pipes and threads, and wait until each thread is ready
 * @p:		Stays where it is for the life of the process
 * @threads:	1 to KIND_THREADS_MAX; afterwards this process can make no more (RLIMIT_NPROC)
 * @run:	Carries out what is in a slot
 * @arg:	Passed to @run
 *
 * Context: setup
 * Syscalls: pipe2 clone mmap mprotect rt_sigprocmask prlimit64 read write
 * Return: 0 or -errno
 */
MUST_CHECK int pool_init(struct pool *p, unsigned int threads,
			 void (*run)(void *arg, unsigned int slot), void *arg, struct err *err);

/**
 * pool_done() - End the threads; safe on a zeroed struct and after a failure
 * @p:		None of them has a slot. A jailed program does not call this: it ends as it is
 *
 * Context: setup
 * Syscalls: close futex
 */
void pool_done(struct pool *p);

/**
 * pool_give() - Have a thread carry out what is in @slot
 * @slot:	Below POOL_SLOTS_MAX; a thread's until pool_take() returns it
 *
 * Context: locked
 * Syscalls: write
 */
void pool_give(struct pool *p, uint8_t slot);

/** pool_has() - Whether pool_take() does not have to wait; p->done[0] is readable then */
bool pool_has(const struct pool *p);

/**
 * pool_take() - Slots whose work is done, one at least: waits for it
 * @slots:	Filled
 * @max:	Room in it
 *
 * Context: locked
 * Syscalls: read
 * Return: how many
 */
unsigned int pool_take(struct pool *p, uint8_t *slots, unsigned int max);

#endif

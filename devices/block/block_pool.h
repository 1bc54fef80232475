/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Threads that carry out pieces while the loop goes on
 *
 * The loop and the threads share two pipes, and through them pass numbers of slots, a byte each:
 *
 *   loop    --- work pipe --->  one thread takes a number, carries out that slot's piece,
 *           <--- done pipe ---  and gives the number back
 *
 * A slot belongs to the thread that holds its number, so nothing is locked and nothing is shared. The kernel
 * wakes one thread for each number. The threads exist before lockdown; they make the calls of a format, and
 * read and write pipes.
 */
#ifndef VMRUN_DEVICES_BLOCK_BLOCK_POOL_H
#define VMRUN_DEVICES_BLOCK_BLOCK_POOL_H

#include <pthread.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "devices/core/kind.h"

/* A slot's number is one byte, and a pipe takes as many at least */
#define BLOCK_POOL_SLOTS_MAX 128U

/**
 * struct block_pool - The threads; zeroed: none
 * @work, @done: The pipes; [0] to read from
 * @ended:	Slots whose number is in @done. A thread counts after it has written, so that a reader who
 *		relies on it does not wait; it may be too low for a moment
 * @run:	Carries out what is in a slot; called by any thread, with @arg
 */
struct block_pool {
	int work[2], done[2];
	int ended;
	void (*run)(void *arg, unsigned int slot);
	void *arg;
	unsigned int nr_threads;
	pthread_t thread[KIND_THREADS_MAX];
};

/**
 * block_pool_init() - Make pipes and threads, and wait until each thread is ready
 * @p:		Stays where it is for the life of the process
 * @threads:	1 to KIND_THREADS_MAX; afterwards this process can make no more (RLIMIT_NPROC)
 * @run:	Carries out what is in a slot
 * @arg:	Passed to @run
 *
 * Context: setup
 * Syscalls: pipe2 clone mmap mprotect rt_sigprocmask prlimit64 read write
 * Return: 0 or -errno
 */
MUST_CHECK int block_pool_init(struct block_pool *p, unsigned int threads,
			       void (*run)(void *arg, unsigned int slot), void *arg,
			       struct err *err);

/**
 * block_pool_done() - End the threads; safe on a zeroed struct and after a failure
 * @p:		None of them has a slot. A jailed program does not call this: it ends as it is
 *
 * Context: setup
 * Syscalls: close futex
 */
void block_pool_done(struct block_pool *p);

/**
 * block_pool_give() - Have a thread carry out what is in @slot
 * @slot:	Below BLOCK_POOL_SLOTS_MAX; a thread's until block_pool_take() returns it
 *
 * Context: locked
 * Syscalls: write
 */
void block_pool_give(struct block_pool *p, uint8_t slot);

/** block_pool_has() - Whether block_pool_take() does not have to wait; p->done[0] is readable then */
bool block_pool_has(const struct block_pool *p);

/**
 * block_pool_take() - Slots whose piece is done, one at least: waits for it
 * @slots:	Filled
 * @max:	Room in it
 *
 * Context: locked
 * Syscalls: read
 * Return: how many
 */
unsigned int block_pool_take(struct block_pool *p, uint8_t *slots, unsigned int max);

#endif

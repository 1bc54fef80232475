/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The event loop of every process: epoll over a fixed table of fds
 */
#ifndef VMRUN_DEVICES_CORE_LOOP_H
#define VMRUN_DEVICES_CORE_LOOP_H

#include <sys/epoll.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define LOOP_SLOTS_MAX 192

struct loop;

/**
 * struct loop_slot - One watched fd
 * @fd:		Borrowed while watched; -1 in a free slot
 * @generation:	Counts the slot's users: distinguishes late events of an earlier one
 * @fn:		Called with the events that happened (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR)
 */
struct loop_slot {
	int fd;
	uint32_t generation;
	void (*fn)(void *arg, int fd, uint32_t events);
	void *arg;
};

struct loop {
	int epoll_fd;
	bool stop;
	struct loop_slot slot[LOOP_SLOTS_MAX];
};

/**
 * loop_init() - Make the epoll fd
 * @l:		Overwritten whole
 *
 * Context: setup
 * Syscalls: epoll_create1
 * Return: 0 or -errno
 */
MUST_CHECK int loop_init(struct loop *l, struct err *err);

/**
 * loop_done() - Close the epoll fd; safe on a failed or zeroed loop
 * @l:		Safe on a failed or zeroed loop
 *
 * Context: any
 * Syscalls: close
 */
void loop_done(struct loop *l);

/**
 * loop_add() - Watch an fd; level triggered unless EPOLLET is among @events
 * @fd:		Borrowed until loop_del()
 * @events:	EPOLLIN, EPOLLOUT, with EPOLLET reported once each time it happens; 0 waits for a hang-up
 *		only
 * @fn:		Called with what happened; may add and remove fds, this one too
 * @arg:	Passed to @fn
 *
 * Context: any
 * Syscalls: epoll_ctl
 * Return: 0, -ENOSPC when the table is full, -EEXIST when @fd is watched already, else -errno
 */
MUST_CHECK int loop_add(struct loop *l, int fd, uint32_t events,
			void (*fn)(void *arg, int fd, uint32_t events), void *arg, struct err *err);

/**
 * loop_mod() - Change the events of a watched fd; 0 disarms it (a hang-up is still reported)
 * @fd:		A watched fd
 * @events:	As loop_add(); 0 disarms it (a hang-up is still reported)
 *
 * Context: any
 * Syscalls: epoll_ctl
 * Return: 0, -ENOENT when @fd is not watched, else -errno
 */
MUST_CHECK int loop_mod(struct loop *l, int fd, uint32_t events);

/**
 * loop_del() - Stop watching; call before closing @fd. An fd that is not watched is ignored
 * @fd:		An fd that is not watched is ignored
 *
 * Context: any
 * Syscalls: epoll_ctl
 */
void loop_del(struct loop *l, int fd);

/**
 * loop_run() - Dispatch until loop_stop()
 * @l:		The loop; one that was stopped already does nothing
 *
 * An fd removed by a callback gets no further callback, not even for events already fetched.
 * Context: locked
 * Syscalls: epoll_pwait
 * Return: 0 or -errno of epoll
 */
MUST_CHECK int loop_run(struct loop *l, struct err *err);

/**
 * loop_once() - One wait of at most @timeout_ms (-1: for ever), then dispatch what came
 * @timeout_ms:	-1: for ever; 0: only what is ready
 *
 * Returns early, with 0, after a signal. Dispatching ends at once when a callback stops the loop; what
 * was ready stays ready.
 * Context: locked
 * Syscalls: epoll_pwait
 * Return: 0 or -errno of epoll
 */
MUST_CHECK int loop_once(struct loop *l, int timeout_ms, struct err *err);

/**
 * loop_stop() - Make loop_run() return after the current callback
 *
 * Context: any callback of @l
 * Syscalls: none
 */
void loop_stop(struct loop *l);

#endif

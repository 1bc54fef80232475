/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Waiting for many fds: epoll, one event at a time
 *
 * One at a time, so that a callback may end any other watch: no event of an ended one is left over. The kernel
 * takes ready fds in turn.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_POLLER_H
#define VMRUN_CMD_VMRUN_INIT_POLLER_H

#include <sys/epoll.h>

#include "devices/core/base.h"

struct poller {
	int fd;
	bool stop;
};

/**
 * struct watch - An fd and who hears of it; where it lives it stays, as long as it is watched
 * @fd:		Owned; -1: none
 * @events:	Those that are watched; 0: the fd is not in the epoll set, and even a hang-up is not heard
 */
struct watch {
	struct poller *poller;
	int fd;
	uint32_t events;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};

#define WATCH_NONE ((struct watch){.fd = -1})

/** poller_init() - Make the epoll fd; 0 or -errno */
MUST_CHECK int poller_init(struct poller *p);

/** poller_run() - Wait and call, until a callback sets @p->stop; 0 or -errno of epoll */
MUST_CHECK int poller_run(struct poller *p);

/**
 * watch_init() - Prepare a watch; it hears nothing before watch_set()
 * @fd:		Becomes the watch's. Two watches of one file need an fd each
 */
void watch_init(struct watch *w, struct poller *p, int fd, void (*fn)(void *arg, uint32_t events),
		void *arg);

/** watch_set() - Hear of these events from now on; 0: of none. Return: 0 or -errno */
MUST_CHECK int watch_set(struct watch *w, uint32_t events);

/** watch_end() - Close its fd; safe on one that has none */
void watch_end(struct watch *w);

#endif

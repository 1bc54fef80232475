/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/poller.h"

#include <errno.h>

int poller_init(struct poller *p)
{
	p->stop = false;
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	return p->fd < 0 ? -errno : 0;
}

int poller_run(struct poller *p)
{
	while (!p->stop) {
		struct epoll_event e;
		int n = epoll_wait(p->fd, &e, 1, -1);
		struct watch *w = e.data.ptr;

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			w->fn(w->arg, e.events);
	}
	return 0;
}

void watch_init(struct watch *w, struct poller *p, int fd, void (*fn)(void *arg, uint32_t events),
		void *arg)
{
	*w = (struct watch){.poller = p, .fd = fd, .fn = fn, .arg = arg};
}

int watch_set(struct watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};
	int op = events == 0 ? EPOLL_CTL_DEL : w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (events == w->events)
		return 0;
	if (epoll_ctl(w->poller->fd, op, w->fd, &e) < 0)
		return -errno;
	w->events = events;
	return 0;
}

void watch_end(struct watch *w)
{
	if (w->fd < 0)
		return;
	/* Another process may have the file too, so closing it alone might leave it in the set. */
	(void)!watch_set(w, 0);
	close(w->fd);
	w->fd = -1;
}

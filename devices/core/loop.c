/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/loop.h"

#include <errno.h>

#define LOOP_BATCH 32 /* events fetched per wait; more stay ready and come with the next */

/* What epoll carries: the slot, and which of its users the event was for */
static uint64_t loop_token(const struct loop *l, const struct loop_slot *s)
{
	return (uint64_t)s->generation << 32 | (uint64_t)(s - l->slot);
}

static struct loop_slot *loop_find(struct loop *l, int fd)
{
	for (size_t i = 0; i < LOOP_SLOTS_MAX; i++) {
		if (l->slot[i].fd == fd)
			return &l->slot[i];
	}
	return NULL;
}

int loop_init(struct loop *l, struct err *err)
{
	*l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	for (size_t i = 0; i < LOOP_SLOTS_MAX; i++)
		l->slot[i].fd = -1;
	if (l->epoll_fd < 0)
		return err_set(err, errno, "epoll_create1");
	return 0;
}

void loop_done(struct loop *l)
{
	/* 0 is a zeroed struct: standard input is open in every program. */
	if (l->epoll_fd > 0)
		close(l->epoll_fd);
	l->epoll_fd = -1;
	for (size_t i = 0; i < LOOP_SLOTS_MAX; i++)
		l->slot[i].fd = -1;
}

int loop_add(struct loop *l, int fd, uint32_t events,
	     void (*fn)(void *arg, int fd, uint32_t events), void *arg, struct err *err)
{
	struct epoll_event ev = {.events = events};
	struct loop_slot *s;

	if (fd < 0)
		return err_set(err, EBADF, "watch fd %d", fd);
	if (loop_find(l, fd))
		return err_set(err, EEXIST, "watch fd %d", fd);
	s = loop_find(l, -1);
	if (!s)
		return err_text(err, ENOSPC, "watch fd %d: all %d slots are taken", fd,
				LOOP_SLOTS_MAX);
	ev.data.u64 = loop_token(l, s);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_set(err, errno, "watch fd %d", fd);
	s->fd = fd;
	s->fn = fn;
	s->arg = arg;
	return 0;
}

int loop_mod(struct loop *l, int fd, uint32_t events)
{
	struct loop_slot *s = fd >= 0 ? loop_find(l, fd) : NULL;
	struct epoll_event ev = {.events = events};

	if (!s)
		return -ENOENT;
	ev.data.u64 = loop_token(l, s);
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0 ? -errno : 0;
}

void loop_del(struct loop *l, int fd)
{
	struct loop_slot *s = fd >= 0 ? loop_find(l, fd) : NULL;

	if (!s)
		return;
	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	s->fd = -1;
	/* Events already fetched carry the old generation, should the slot be taken at once. */
	s->generation++;
}

int loop_once(struct loop *l, int timeout_ms, struct err *err)
{
	struct epoll_event ev[LOOP_BATCH];
	int n = epoll_pwait(l->epoll_fd, ev, LOOP_BATCH, timeout_ms, NULL);

	if (n < 0)
		return errno == EINTR ? 0 : err_set(err, errno, "epoll_pwait");
	for (int i = 0; i < n && !l->stop; i++) {
		struct loop_slot *s = &l->slot[(uint32_t)ev[i].data.u64];

		if (s->fd >= 0 && loop_token(l, s) == ev[i].data.u64)
			s->fn(s->arg, s->fd, ev[i].events);
	}
	return 0;
}

int loop_run(struct loop *l, struct err *err)
{
	int rc = 0;

	while (rc == 0 && !l->stop)
		rc = loop_once(l, -1, err);
	return rc;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/loop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static struct loop loop;
static struct err err;

/* One watched eventfd and what happened to it */
struct watch {
	int fd;
	int calls;
	uint32_t events;
	void (*then)(struct watch *w);
	struct watch *other;
};

static void on_event(void *arg, int fd, uint32_t events)
{
	struct watch *w = arg;

	cr_assert_eq(fd, w->fd);
	w->calls++;
	w->events |= events;
	if (w->then)
		w->then(w);
}

static void start(void)
{
	cr_assert_eq(loop_init(&loop, &err), 0);
}

static void stop(void)
{
	loop_done(&loop);
}

TestSuite(loop, .init = start, .fini = stop);

static void watch_init(struct watch *w, unsigned int count)
{
	*w = (struct watch){.fd = eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK)};
	cr_assert_eq(loop_add(&loop, w->fd, EPOLLIN, on_event, w, &err), 0);
}

static void once(void)
{
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
}

Test(loop, calls_back_while_ready)
{
	struct watch a, b;
	uint64_t v;

	watch_init(&a, 1);
	watch_init(&b, 0);
	once();
	once();
	cr_assert_eq(a.calls, 2, "level triggered");
	cr_assert_eq(a.events, EPOLLIN);
	cr_assert_eq(b.calls, 0);
	cr_assert_eq(read(a.fd, &v, 8), 8);
	once();
	cr_assert_eq(a.calls, 2);
}

Test(loop, refuses_what_it_cannot_watch)
{
	struct watch a;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);

	watch_init(&a, 0);
	cr_assert_eq(loop_add(&loop, a.fd, EPOLLIN, on_event, &a, &err), -EEXIST);
	cr_assert_eq(dup2(other, a.fd), a.fd);
	cr_assert_eq(loop_add(&loop, a.fd, EPOLLIN, on_event, &a, &err), -EEXIST,
		     "epoll forgot the number, the loop has it");
	cr_assert_eq(loop_add(&loop, -1, EPOLLIN, on_event, &a, &err), -EBADF);
	cr_assert_eq(loop_add(&loop, file, EPOLLIN, on_event, &a, &err), -EPERM);
	cr_assert_eq(loop_mod(&loop, file, EPOLLIN), -ENOENT);
	cr_assert_eq(loop_mod(&loop, -1, EPOLLIN), -ENOENT, "a free slot is no watched fd");
	loop_del(&loop, file);
	loop_del(&loop, -1);
}

Test(loop, a_full_table_says_so_and_slots_come_back)
{
	static struct watch w[LOOP_SLOTS_MAX];
	int fd = eventfd(1, EFD_CLOEXEC);
	struct watch last = {.fd = fd};

	for (size_t i = 0; i < LOOP_SLOTS_MAX; i++)
		watch_init(&w[i], 0);
	cr_assert_eq(loop_add(&loop, fd, EPOLLIN, on_event, &last, &err), -ENOSPC);
	loop_del(&loop, w[7].fd);
	cr_assert_eq(loop_add(&loop, fd, EPOLLIN, on_event, &last, &err), 0);
	once();
	cr_assert_eq(last.calls, 1);
	cr_assert_eq(w[7].calls, 0);
}

Test(loop, a_busy_table_is_served_whole)
{
	static struct watch w[LOOP_SLOTS_MAX];

	for (size_t i = 0; i < LOOP_SLOTS_MAX; i++)
		watch_init(&w[i], 1);
	for (int i = 0; i < LOOP_SLOTS_MAX; i++)
		once();
	for (size_t i = 0; i < LOOP_SLOTS_MAX; i++)
		cr_assert_gt(w[i].calls, 0, "slot %zu starved", i);
}

Test(loop, mod_disarms_and_arms)
{
	struct watch a;

	watch_init(&a, 1);
	cr_assert_eq(loop_mod(&loop, a.fd, 0), 0);
	once();
	cr_assert_eq(a.calls, 0);
	cr_assert_eq(loop_mod(&loop, a.fd, EPOLLIN | EPOLLOUT), 0);
	once();
	cr_assert_eq(a.calls, 1);
	cr_assert_eq(a.events, EPOLLIN | EPOLLOUT);
}

Test(loop, a_hang_up_is_told_even_when_disarmed)
{
	int sv[2];
	struct watch a = {0};

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	a.fd = sv[0];
	cr_assert_eq(loop_add(&loop, a.fd, 0, on_event, &a, &err), 0);
	once();
	cr_assert_eq(a.calls, 0);
	close(sv[1]);
	once();
	cr_assert_eq(a.calls, 1);
	cr_assert(a.events & EPOLLHUP);
}

static void remove_other(struct watch *w)
{
	loop_del(&loop, w->other->fd);
}

Test(loop, a_removed_fd_gets_no_fetched_event)
{
	struct watch a, b;

	/* Both are ready and fetched together: whichever comes first removes the other. */
	watch_init(&a, 1);
	watch_init(&b, 1);
	a.then = b.then = remove_other;
	a.other = &b;
	b.other = &a;
	once();
	cr_assert_eq(a.calls + b.calls, 1);
}

static struct watch replacement;

static void replace_other(struct watch *w)
{
	loop_del(&loop, w->other->fd);
	/* Takes the slot just freed. It is not ready, so any call would be the other's event. */
	watch_init(&replacement, 0);
}

Test(loop, a_fetched_event_does_not_reach_the_slots_next_user)
{
	struct watch a, b;

	watch_init(&a, 1);
	watch_init(&b, 1);
	a.then = b.then = replace_other;
	a.other = &b;
	b.other = &a;
	once();
	cr_assert_eq(a.calls + b.calls, 1);
	cr_assert_eq(replacement.calls, 0);
}

static void stop_loop(struct watch *w)
{
	(void)w;
	loop_stop(&loop);
}

Test(loop, run_ends_with_stop, .timeout = 20)
{
	struct watch a, b;

	watch_init(&a, 1);
	watch_init(&b, 1);
	a.then = b.then = stop_loop;
	cr_assert_eq(loop_run(&loop, &err), 0);
	cr_assert_eq(a.calls + b.calls, 1, "nothing is dispatched after loop_stop()");
	cr_assert_eq(loop_run(&loop, &err), 0, "a stopped loop stays stopped");
}

Test(loop, done_is_safe_on_a_zeroed_and_a_finished_loop)
{
	static struct loop zeroed;
	struct watch a;

	loop_done(&zeroed);
	cr_assert_neq(fcntl(0, F_GETFD), -1, "a zeroed loop owns no fd 0");
	watch_init(&a, 0);
	loop_done(&loop);
	loop_done(&loop);
	cr_assert_neq(fcntl(a.fd, F_GETFD), -1, "watched fds are borrowed");
}

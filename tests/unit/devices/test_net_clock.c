/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The network device: a limit that is not there costs no look at the clock and no timer
 *
 * The program's own clock_gettime() and timerfd_settime() take the place of the C library's, count in
 * memory that the device's process shares, and pass the call on.
 */
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>

#include "tests/support/net_rig.h"

#define FRAMES 40U

/**
 * struct calls - What the device asked for
 * @stopped:	The clock's only answer, if there is one
 */
struct calls {
	unsigned int clock, timer;
	struct timespec stopped;
};

static struct calls *calls;

static void *next_of(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	vr_assert(p);
	return p;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*next)(clockid_t, struct timespec *);

	if (!next)
		*(void **)&next = next_of("clock_gettime");
	if (calls)
		__atomic_fetch_add(&calls->clock, 1, __ATOMIC_RELAXED);
	if (calls && calls->stopped.tv_sec) {
		*t = calls->stopped;
		return 0;
	}
	return next(id, t);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *t, struct itimerspec *old)
{
	static int (*next)(int, int, const struct itimerspec *, struct itimerspec *);

	if (!next)
		*(void **)&next = next_of("timerfd_settime");
	if (calls)
		__atomic_fetch_add(&calls->timer, 1, __ATOMIC_RELAXED);
	return next(fd, flags, t, old);
}

/* Resolves the names before the device may not any more, and begins to count */
static void begin(void)
{
	const struct itimerspec never = {.it_value = {0, 0}};
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	timerfd_settime(-1, 0, &never, NULL);
	calls = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	cr_assert_neq(calls, MAP_FAILED);
	start(0);
}

/* Frames in both directions; what the device has asked for meanwhile. The test itself asks for nothing */
static struct calls traffic(void)
{
	static const struct virtio_net_hdr_v1 h;
	static uint8_t got[2048];

	offer(0, FRAMES + 20, 2048);
	*calls = (struct calls){0};
	for (unsigned int i = 0; i < FRAMES; i++) {
		arrive(0, 60 + i);
		transmit(&h, 60);
	}
	for (unsigned int i = 0; i < FRAMES; i++) {
		cr_assert_eq(take(0), HDR + 60 + i);
		cr_assert_eq(sent(0, true, got, sizeof(got)), HDR + 60);
	}
	settle();
	return *calls;
}

TestSuite(net_clock, .init = setup, .fini = teardown);

Test(net_clock, no_limit_no_clock_no_timer)
{
	begin();
	struct calls c = traffic();

	cr_assert_eq(c.clock, 0, "%u looks at the clock", c.clock);
	cr_assert_eq(c.timer, 0, "the timer was set %u times", c.timer);
}

Test(net_clock, a_limit_that_is_far_away_needs_the_clock_only)
{
	settings.to_guest = (struct net_rate){.packets_per_s = 1000000, .burst_packets = 1000000};
	begin();
	struct calls c = traffic();

	cr_assert_geq(c.clock, FRAMES, "%u looks at the clock", c.clock);
	cr_assert_eq(c.timer, 0, "the timer was set %u times", c.timer);
}

Test(net_clock, a_limit_that_binds_needs_the_timer)
{
	static const struct virtio_net_hdr_v1 h;

	settings.from_guest = (struct net_rate){.packets_per_s = 1, .burst_packets = 2};
	begin();
	/* No time passes, and the timer's is never reached. */
	clock_gettime(CLOCK_MONOTONIC, &calls->stopped);
	calls->stopped.tv_sec += 1000000;
	transmit(&h, 60);
	settle();
	cr_assert_eq(calls->timer, 0, "one frame is left, and the timer was set %u times",
		     calls->timer);
	/* It may hear that the frame is gone before the timer is set. */
	transmit(&h, 60);
	settle();
	cr_assert_eq(calls->timer, 1, "the timer was set %u times", calls->timer);
	vqd_add(&ring[1], &(struct vqd_buf){TX_GPA, HDR + 60, false}, 1);
	eventfd_write(kick[1], 1);
	cr_assert(nothing_used(1));
	cr_assert_eq(calls->timer, 1, "the timer was set %u times", calls->timer);
}

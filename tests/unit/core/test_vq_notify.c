/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Who wakes whom: suppression by flags and by event index, both ways
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "tests/support/vq_driver.h"

#define RING 0x10000ULL
#define DATA 0x14000ULL
#define USED 0x18000ULL
#define SIZE 8

static const struct vqd_piece pieces[] = {{RING, 0x10000}};

static struct vqd_mem ram;
static struct gmem mem;
static struct vqd drv;
static struct vq q;
static struct vq_chain c;

static void start(void)
{
	mem = (struct gmem){0};
	vqd_mem_init(&ram, pieces, ARRAY_SIZE(pieces));
	vqd_mem_map(&ram, &mem);
}

static void stop(void)
{
	gmem_done(&mem);
	vqd_mem_done(&ram);
}

TestSuite(vq_notify, .init = start, .fini = stop);

static void setup(uint64_t features, uint16_t idx)
{
	struct vq_layout layout;

	vqd_init(&drv, &ram, SIZE, RING, features);
	vqd_start_at(&drv, idx);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
}

static void add(unsigned int n)
{
	struct vqd_buf buf = {DATA, 4, true};

	while (n-- > 0)
		vqd_add(&drv, &buf, 1);
}

/* The device serves @n requests */
static void serve(unsigned int n)
{
	while (n-- > 0) {
		cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "%s", q.why);
		vq_push(&q, &c);
	}
}

/* The driver takes back all used buffers */
static unsigned int take(void)
{
	unsigned int n = 0;

	while (vqd_take(&drv, &(uint32_t){0}, &(uint32_t){0}))
		n++;
	return n;
}

Test(vq_notify, setup_leaves_the_driver_notifying)
{
	struct vq_layout layout;

	/* The ring's last user left notifications off. */
	vqd_init(&drv, &ram, SIZE, RING, 0);
	*(uint16_t *)vqd_at(&ram, drv.used_gpa, 2) = 1;
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	add(1);
	cr_assert(vqd_must_kick(&drv));

	vqd_init(&drv, &ram, SIZE, RING, VQD_F_EVENT_IDX);
	vqd_start_at(&drv, 500);
	*(uint16_t *)vqd_at(&ram, drv.used_gpa + 4 + 8 * SIZE, 2) = 77;
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	cr_assert_eq(vqd_avail_event(&drv), 500);
	add(1);
	cr_assert(vqd_must_kick(&drv));
}

Test(vq_notify, flags_decide_without_event_idx)
{
	setup(0, 0);
	cr_assert_not(vq_should_signal(&q), "nothing was pushed");
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
	cr_assert_not(vq_should_signal(&q), "asked already");
	vqd_want_signals(&drv, false);
	add(1);
	serve(1);
	cr_assert_not(vq_should_signal(&q));
	vqd_want_signals(&drv, true);
	cr_assert_not(vq_should_signal(&q), "pushed before the driver asked; it looks by itself");
	take();
	add(2);
	serve(2);
	cr_assert(vq_should_signal(&q));
}

Test(vq_notify, flags_mean_nothing_with_event_idx)
{
	setup(VQD_F_EVENT_IDX, 0);
	*(uint16_t *)vqd_at(&ram, drv.avail_gpa, 2) = 1;
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
	take();
	vqd_set_used_event(&drv, 1);
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
}

Test(vq_notify, used_event_is_ignored_without_event_idx)
{
	setup(0, 0);
	vqd_set_used_event(&drv, 0x8000);
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
	cr_assert_eq(vqd_avail_event(&drv), 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	cr_assert_eq(vqd_avail_event(&drv), 0, "not negotiated, not written");
}

Test(vq_notify, used_event_is_an_entry_to_wait_for)
{
	/* Starts where the entry's number wraps, too. */
	static const uint16_t starts[] = {0, 100, 65533, 65535};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		uint16_t at = starts[i];

		setup(VQD_F_EVENT_IDX, at);
		add(1);
		serve(1);
		cr_assert(vq_should_signal(&q), "the first one, always");
		take();
		vqd_set_used_event(&drv, (uint16_t)(at + 3)); /* the fourth */
		add(4);
		serve(1);
		cr_assert_not(vq_should_signal(&q), "second, from %u", at);
		serve(1);
		cr_assert_not(vq_should_signal(&q), "third, from %u", at);
		serve(1);
		cr_assert(vq_should_signal(&q), "fourth, from %u", at);
		serve(1);
		cr_assert_not(vq_should_signal(&q), "fifth, from %u", at);
		take();
		/* In the middle of what is pushed at once. */
		vqd_set_used_event(&drv, (uint16_t)(at + 6));
		add(4);
		serve(4);
		cr_assert(vq_should_signal(&q), "a batch around it, from %u", at);
	}
}

Test(vq_notify, used_event_far_away_means_none)
{
	setup(VQD_F_EVENT_IDX, 0);
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
	take();
	vqd_want_signals(&drv, false);
	for (int i = 0; i < 1000; i++) {
		add(2);
		serve(2);
		cr_assert_not(vq_should_signal(&q));
		take();
	}
	vqd_want_signals(&drv, true);
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
}

Test(vq_notify, once_around_without_asking_signals)
{
	setup(VQD_F_EVENT_IDX, 0);
	add(1);
	serve(1);
	cr_assert(vq_should_signal(&q));
	take();
	vqd_set_used_event(&drv, 40000);
	/* 65536 more: used.idx is where it was, and entry 40000 was among them. */
	for (int i = 0; i < 65536 / 8; i++) {
		add(8);
		serve(8);
		take();
	}
	cr_assert(vq_should_signal(&q));
}

Test(vq_notify, an_empty_ring_arms_the_notification)
{
	setup(VQD_F_EVENT_IDX, 65534);
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	for (int i = 0; i < 5; i++) {
		add(1);
		cr_assert(vqd_must_kick(&drv), "armed by VQ_EMPTY");
		serve(1);
		add(2);
		cr_assert_not(vqd_must_kick(&drv), "the device is at work, no need to call it");
		serve(2);
		cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
		cr_assert_eq(vqd_avail_event(&drv), drv.avail_idx);
		cr_assert_eq(take(), 3);
	}
}

Test(vq_notify, without_event_idx_every_request_notifies)
{
	setup(0, 0);
	for (int i = 0; i < 5; i++) {
		add(1);
		cr_assert(vqd_must_kick(&drv));
		serve(1);
		cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
		take();
	}
}

/*
 * The moment between looking and arming, stretched: the page of avail_event is write-protected, and
 * the driver adds its request in the handler of the fault.
 */
static void add_while_arming(int sig)
{
	(void)sig;
	cr_assert_eq(mprotect(gmem_ptr(&mem, USED, 4096), 4096, PROT_READ | PROT_WRITE), 0);
	add(1);
	cr_assert_not(vqd_must_kick(&drv), "not armed yet: the driver stays silent");
}

Test(vq_notify, a_request_added_while_arming_is_seen)
{
	struct sigaction sa = {.sa_handler = add_while_arming};
	struct vq_layout layout;

	vqd_init(&drv, &ram, SIZE, RING, VQD_F_EVENT_IDX);
	drv.used_gpa = USED; /* on a page of its own */
	vqd_start_at(&drv, 7);
	layout = vqd_layout(&drv);
	cr_assert_eq(vq_setup(&q, &mem, &layout, &(struct err){0}), 0);
	add(1);
	serve(1);
	cr_assert(vqd_must_kick(&drv));
	cr_assert_eq(sigaction(SIGSEGV, &sa, NULL), 0);
	cr_assert_eq(mprotect(gmem_ptr(&mem, USED, 4096), 4096, PROT_READ), 0);
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN, "no later event would report it");
	vq_push(&q, &c);
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
}

/* Two threads, each asleep until the other wakes it: a notification lost is a test that hangs. */

#define REQUESTS 20000

static int kick_fd, call_fd;

static void wake(int fd)
{
	uint64_t one = 1;

	cr_assert_eq(write(fd, &one, sizeof(one)), 8);
}

static void sleep_on(int fd)
{
	uint64_t n;

	cr_assert_eq(read(fd, &n, sizeof(n)), 8);
}

static void *device_thread(void *arg)
{
	static struct vq_chain chain;
	unsigned int served = 0;
	enum vq_result rc;

	(void)arg;
	while (served < REQUESTS) {
		sleep_on(kick_fd);
		while ((rc = vq_pop(&q, &chain)) == VQ_CHAIN) {
			vq_write(&chain, "done", 4);
			vq_push(&q, &chain);
			served++;
			if (vq_should_signal(&q))
				wake(call_fd);
		}
		cr_assert_eq(rc, VQ_EMPTY, "%s", q.why);
	}
	return NULL;
}

static void race(uint64_t features)
{
	unsigned int added = 0, taken = 0;
	uint32_t id, len;
	pthread_t device;

	setup(features, 65000);
	kick_fd = eventfd(0, EFD_CLOEXEC);
	call_fd = eventfd(0, EFD_CLOEXEC);
	cr_assert_eq(pthread_create(&device, NULL, device_thread, NULL), 0);
	while (taken < REQUESTS) {
		for (; added < REQUESTS && added - taken < SIZE / 2; added++)
			add(1);
		if (vqd_must_kick(&drv))
			wake(kick_fd);
		/* As a driver does it: ask for a signal, look once more, only then sleep. */
		vqd_want_signals(&drv, true);
		if (!vqd_take(&drv, &id, &len)) {
			sleep_on(call_fd);
			continue;
		}
		vqd_want_signals(&drv, false);
		do {
			cr_assert_eq(len, 4);
			taken++;
		} while (vqd_take(&drv, &id, &len));
	}
	cr_assert_eq(pthread_join(device, NULL), 0);
	close(kick_fd);
	close(call_fd);
}

Test(vq_notify, no_wake_up_is_lost_with_flags, .timeout = 120)
{
	race(0);
}

Test(vq_notify, no_wake_up_is_lost_with_event_idx, .timeout = 120)
{
	race(VQD_F_EVENT_IDX);
}

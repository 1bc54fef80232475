/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#define POOL_STACK_BYTES (64U << 10)

/* Writes one number; both pipes have room for all there are */
static void pool_put(int fd, uint8_t slot)
{
	ssize_t n;

	do
		n = write(fd, &slot, 1);
	while (n < 0 && errno == EINTR);
	vr_assert(n == 1);
}

/* Reads up to @max numbers, one at least; 0 when the other end is closed */
static unsigned int pool_get(int fd, uint8_t *slots, unsigned int max)
{
	ssize_t n;

	do
		n = read(fd, slots, max);
	while (n < 0 && errno == EINTR);
	vr_assert(n >= 0);
	return (unsigned int)n;
}

static void *pool_thread(void *arg)
{
	struct pool *p = arg;
	uint8_t slot = 0;

	/* A new thread makes calls that the filter does not have: it says when those are behind it. */
	pool_put(p->done[1], slot);
	while (pool_get(p->work[0], &slot, 1) > 0) {
		p->run(p->arg, slot);
		pool_put(p->done[1], slot);
		__atomic_add_fetch(&p->ended, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int pool_start(struct pool *p, unsigned int threads, struct err *err)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (rc == 0)
		rc = pthread_attr_setstacksize(&attr, POOL_STACK_BYTES);
	while (rc == 0 && p->nr_threads < threads) {
		rc = pthread_create(&p->thread[p->nr_threads], &attr, pool_thread, p);
		p->nr_threads += rc == 0;
	}
	if (rc != 0)
		return err_set(err, rc, "%u threads of a device", threads);
	for (unsigned int ready = 0; ready < threads;) {
		uint8_t slots[KIND_THREADS_MAX];

		ready += pool_get(p->done[0], slots, threads - ready);
	}
	return 0;
}

int pool_init(struct pool *p, unsigned int threads, void (*run)(void *arg, unsigned int slot),
	      void *arg, struct err *err)
{
	const struct rlimit none = {0};
	int rc;

	vr_assert(threads > 0 && threads <= KIND_THREADS_MAX);
	*p = (struct pool){.work = {-1, -1}, .done = {-1, -1}, .run = run, .arg = arg};
	if (pipe2(p->work, O_CLOEXEC) < 0 || pipe2(p->done, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipes of threads");
	rc = pool_start(p, threads, err);
	if (rc == 0 && setrlimit(RLIMIT_NPROC, &none) < 0)
		return err_set(err, errno, "RLIMIT_NPROC");
	return rc;
}

void pool_done(struct pool *p)
{
	if (!p->run)
		return;
	cleanup_close_fd(&p->work[1]);
	for (unsigned int i = 0; i < p->nr_threads; i++)
		(void)pthread_join(p->thread[i], NULL);
	cleanup_close_fd(&p->work[0]);
	cleanup_close_fd(&p->done[0]);
	cleanup_close_fd(&p->done[1]);
	*p = (struct pool){0};
}

void pool_give(struct pool *p, uint8_t slot)
{
	pool_put(p->work[1], slot);
}

bool pool_has(const struct pool *p)
{
	return __atomic_load_n(&p->ended, __ATOMIC_ACQUIRE) > 0;
}

unsigned int pool_take(struct pool *p, uint8_t *slots, unsigned int max)
{
	unsigned int nr = pool_get(p->done[0], slots, max);

	vr_assert(nr > 0);
	__atomic_sub_fetch(&p->ended, (int)nr, __ATOMIC_RELAXED);
	return nr;
}

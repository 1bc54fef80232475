/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/block/qcow2_lock.h"

#include <errno.h>
#include <fcntl.h>

int qcow2_lock_init(struct qcow2 *q, struct err *err)
{
	if (pipe2(q->turn, O_CLOEXEC) < 0 || pipe2(q->still, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipes of a qcow2 disk");
	return 0;
}

/* Waits for a byte */
static void qcow2_sleep(const int pipe[2])
{
	uint8_t byte;
	ssize_t n;

	do
		n = read(pipe[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	vr_assert(n == 1);
}

/* There are fewer bytes than threads: they always fit. */
static void qcow2_wake(const int pipe[2])
{
	const uint8_t byte = 0;
	ssize_t n;

	do
		n = write(pipe[1], &byte, 1);
	while (n < 0 && errno == EINTR);
	vr_assert(n == 1);
}

void qcow2_lock(struct qcow2 *q)
{
	if (__atomic_fetch_add(&q->users, 1, __ATOMIC_ACQUIRE) > 0)
		qcow2_sleep(q->turn);
}

bool qcow2_lock_now(struct qcow2 *q)
{
	unsigned int none = 0;

	return __atomic_compare_exchange_n(&q->users, &none, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

void qcow2_unlock(struct qcow2 *q)
{
	if (__atomic_fetch_sub(&q->users, 1, __ATOMIC_RELEASE) > 1)
		qcow2_wake(q->turn);
}

bool qcow2_move_begin(struct qcow2 *q)
{
	if (q->stills > 0)
		return false;
	q->moves++;
	qcow2_unlock(q);
	return true;
}

void qcow2_move_end(struct qcow2 *q, bool without)
{
	if (!without)
		return;
	qcow2_lock(q);
	if (--q->moves > 0)
		return;
	for (; q->sleepers > 0; q->sleepers--)
		qcow2_wake(q->still);
}

void qcow2_still_begin(struct qcow2 *q)
{
	q->stills++;
	while (q->moves > 0) {
		q->sleepers++;
		qcow2_unlock(q);
		qcow2_sleep(q->still);
		qcow2_lock(q);
	}
}

void qcow2_still_end(struct qcow2 *q)
{
	q->stills--;
}

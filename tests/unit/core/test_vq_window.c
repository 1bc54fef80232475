/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Chains popped ahead: what a packet takes, what stays, what goes back
 */
#include "devices/core/vq_window.h"

#include <signal.h>
#include <string.h>

#include "tests/support/vq_rig.h"

#define RING_MAX 256
#define EACH	 100U /* bytes of an ordinary buffer */

static struct vq_window w;
static unsigned int offered;

static void start_large(void)
{
	start();
	setup(RING_MAX, VQD_F_INDIRECT);
	w = (struct vq_window){.nr = 0};
	offered = 0;
}

TestSuite(vq_window, .init = start_large, .fini = stop);

/* @nr chains of one buffer each, side by side */
static void offer(unsigned int nr)
{
	for (; nr > 0; nr--) {
		struct vqd_buf buf = {DATA + EACH * (offered++ % 500), EACH, true};

		vqd_add(&drv, &buf, 1);
	}
}

static const char *data(uint64_t off)
{
	return vqd_at(&ram, DATA + off, 1);
}

static void took(uint32_t bytes)
{
	uint32_t head, len;

	cr_assert(vqd_take(&drv, &head, &len));
	cr_assert_eq(len, bytes);
}

static void took_nothing(void)
{
	uint32_t head, len;

	cr_assert_not(vqd_take(&drv, &head, &len));
}

Test(vq_window, pops_what_is_wanted_and_no_more)
{
	offer(10);
	cr_assert_eq(vq_window_collect(&w, &q, 1, 1), VQ_CHAIN);
	cr_assert(w.nr == 1 && w.room == EACH && vq_window_first(&w) == EACH);
	cr_assert_eq(vq_window_collect(&w, &q, 3 * EACH, 1), VQ_CHAIN);
	cr_assert(w.nr == 3 && w.room == 3 * EACH);
	cr_assert_eq(vq_window_collect(&w, &q, 3 * EACH + 1, 1), VQ_CHAIN);
	cr_assert_eq(w.nr, 4);
	cr_assert_eq(vq_window_collect(&w, &q, 11 * EACH, 1), VQ_EMPTY);
	cr_assert(w.nr == 10 && w.room == 10 * EACH);
}

Test(vq_window, a_packet_takes_whole_chains_and_the_rest_stays)
{
	struct iovec iov[8];
	uint64_t bytes;

	offer(6);
	cr_assert_eq(vq_window_collect(&w, &q, 5 * EACH, 1), VQ_CHAIN);
	cr_assert_eq(vq_window_iov(&w, 2 * EACH + 1, iov, 8, &bytes), 3);
	cr_assert_eq(bytes, 3 * EACH);
	cr_assert_eq(vq_window_iov(&w, UINT64_MAX, iov, 2, &bytes), 2, "room for two only");
	cr_assert_eq(bytes, 2 * EACH);
	*(char *)iov[1].iov_base = '2';
	cr_assert_eq(*data(EACH), '2');
	cr_assert_eq(vq_window_chains(&w, 2 * EACH), 2);
	cr_assert_eq(vq_window_chains(&w, 2 * EACH + 1), 3);
	vq_window_use(&w, &q, 2 * EACH + 1);
	took_nothing();
	vq_publish(&q);
	took(EACH);
	took(EACH);
	took(1);
	took_nothing();
	cr_assert(w.nr == 2 && w.room == 2 * EACH);
	cr_assert_eq(vq_window_iov(&w, 1, iov, 8, &bytes), 1);
	*(char *)iov[0].iov_base = '4';
	cr_assert_eq(*data(3 * EACH), '4');
}

Test(vq_window, bytes_land_where_they_belong)
{
	static const char text[] = "0123456789";

	offer(4);
	cr_assert_eq(vq_window_collect(&w, &q, 4 * EACH, 1), VQ_CHAIN);
	vq_window_use(&w, &q, EACH);
	vq_window_write(&w, EACH - 3, text, 10);
	cr_assert_arr_eq(data(2 * EACH - 3), text, 10);
	vq_window_write(&w, 0, "a", 1);
	vq_window_write(&w, 3 * EACH - 1, "z", 1);
	cr_assert(*data(EACH) == 'a' && *data(4 * EACH - 1) == 'z');
	vq_window_write(&w, 3 * EACH, "", 0);
}

Test(vq_window, nothing_is_written_beyond_the_room, .signal = SIGILL)
{
	signal(SIGILL, SIG_DFL);
	offer(1);
	cr_assert_eq(vq_window_collect(&w, &q, EACH, 1), VQ_CHAIN);
	vq_window_write(&w, EACH - 1, "xx", 2);
}

Test(vq_window, no_packet_is_larger_than_the_room, .signal = SIGILL)
{
	signal(SIGILL, SIG_DFL);
	offer(1);
	cr_assert_eq(vq_window_collect(&w, &q, EACH, 1), VQ_CHAIN);
	vq_window_use(&w, &q, EACH + 1);
}

Test(vq_window, only_what_is_writable_counts)
{
	struct vqd_buf buf[] = {{DATA, 8, false}, {MID - 10, 20, true}, {DATA + 50, 5, true}};
	struct iovec iov[8];
	uint64_t bytes;

	vqd_add(&drv, buf, 3);
	cr_assert_eq(vq_window_collect(&w, &q, 1, 1), VQ_CHAIN);
	cr_assert_eq(vq_window_first(&w), 25);
	/* A chain is one, however many pieces: here a border of two regions is crossed. */
	cr_assert_eq(vq_window_iov(&w, 1, iov, 8, &bytes), 3);
	cr_assert(bytes == 25 && iov[0].iov_len == 10 && iov[2].iov_len == 5);
	vq_window_use(&w, &q, 21);
	vq_publish(&q);
	took(21);
}

Test(vq_window, a_chain_that_is_too_short_breaks_the_rule)
{
	struct vqd_buf buf = {DATA, 11, true};

	vqd_add(&drv, &buf, 1);
	cr_assert_eq(vq_window_collect(&w, &q, 1, 12), VQ_BROKEN);
	cr_assert_not(q.broken);
	vq_window_put_back(&w, &q);
	cr_assert_eq(q.next_avail, 0);
}

Test(vq_window, what_is_put_back_is_popped_anew)
{
	offer(9);
	cr_assert_eq(vq_window_collect(&w, &q, 8 * EACH, 1), VQ_CHAIN);
	vq_window_use(&w, &q, 3 * EACH);
	vq_window_put_back(&w, &q);
	cr_assert(w.nr == 0 && w.room == 0);
	cr_assert_eq(q.next_avail, 3);
	for (unsigned int i = 0; i < ARRAY_SIZE(q.in_flight); i++)
		cr_assert_eq(q.in_flight[i], 0);
	cr_assert_eq(vq_window_collect(&w, &q, 1, 1), VQ_CHAIN);
	vq_window_write(&w, 0, "4", 1);
	cr_assert_eq(*data(3 * EACH), '4', "the fourth is the next");
}

/* Goes on for ever, whatever of the ring is in the window and wherever in its memory */
Test(vq_window, ten_times_around)
{
	offer(RING_MAX);
	for (unsigned int i = 0; i < 10 * RING_MAX; i++) {
		unsigned int nr = 1 + i % 7;
		char byte = (char)i;

		cr_assert_neq(vq_window_collect(&w, &q, EACH * (nr + i % 200), 1), VQ_BROKEN);
		cr_assert_geq(w.nr, nr);
		vq_window_write(&w, EACH * nr - 1, &byte, 1);
		vq_window_use(&w, &q, EACH * nr);
		vq_publish(&q);
		for (unsigned int k = 0; k < nr; k++)
			took(EACH);
		cr_assert_eq(*data(EACH * ((offered - RING_MAX + nr - 1) % 500) + EACH - 1), byte);
		offer(nr);
	}
}

Test(vq_window, chains_of_many_pieces_fill_it)
{
	static struct vqd_buf buf[RING_MAX];
	unsigned int nr;

	for (unsigned int i = 0; i < RING_MAX; i++)
		buf[i] = (struct vqd_buf){DATA + 2 * i, 1, true};
	for (unsigned int i = 0; i < 10; i++)
		vqd_add_indirect(&drv, buf, RING_MAX, TABLE);
	cr_assert_eq(vq_window_collect(&w, &q, 10 * RING_MAX, 1), VQ_CHAIN);
	nr = w.nr;
	cr_assert(nr > 1 && nr < 10 && w.room == nr * RING_MAX, "%u", nr);
	/* Taking one makes room for one. */
	vq_window_use(&w, &q, RING_MAX);
	cr_assert_eq(vq_window_collect(&w, &q, 10 * RING_MAX, 1), VQ_CHAIN);
	cr_assert_eq(w.nr, nr);
	vq_window_write(&w, nr * RING_MAX - 1, "x", 1);
	cr_assert_eq(*data(2 * (RING_MAX - 1)), 'x');
}

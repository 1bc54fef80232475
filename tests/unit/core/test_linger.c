/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: When a device looks at a ring for a moment, and when it does so less
 */
#include "devices/core/linger.h"

#include "tests/support/vq_rig.h"

TestSuite(linger, .init = start, .fini = stop);

/* Waits, always in vain, until it has looked: how many waits that took */
static unsigned int until_look(struct linger *l)
{
	unsigned int waits = 1;

	for (; l->skip > 0; waits++)
		linger(l, &q, 1);
	linger(l, &q, 1);
	return waits;
}

Test(linger, a_vain_look_halves_how_often_it_is_done)
{
	struct linger l = {0};

	for (unsigned int level = 1; level <= LINGER_LEVELS; level++) {
		cr_assert_eq(until_look(&l), 1U << (level - 1));
		cr_assert_eq(l.level, level);
		cr_assert_eq(l.skip, (1U << level) - 1);
	}
	cr_assert_eq(until_look(&l), 1U << LINGER_LEVELS);
	cr_assert_eq(l.level, LINGER_LEVELS);
}

Test(linger, one_that_finds_a_request_doubles_it)
{
	struct linger l = {.level = 3};
	const struct vqd_buf buf = {DATA, 16, true};

	vqd_add(&drv, &buf, 1);
	linger(&l, &q, 1);
	cr_assert_eq(l.level, 2);
	cr_assert_eq(l.skip, 0);
	linger(&l, &q, 1);
	linger(&l, &q, 1);
	linger(&l, &q, 1);
	cr_assert_eq(l.level, 0);
}

Test(linger, a_wait_without_a_look_changes_nothing_else)
{
	struct linger l = {.level = 4, .skip = 15};

	linger(&l, &q, 1);
	cr_assert_eq(l.level, 4);
	cr_assert_eq(l.skip, 14);
}

Test(linger, the_driver_is_not_asked_to_ring)
{
	struct linger l = {0};
	const struct vqd_buf buf = {DATA, 16, true};

	setup(SIZE, VQD_F_EVENT_IDX);
	cr_assert_eq(vq_pop(&q, &c), VQ_EMPTY);
	vqd_add(&drv, &buf, 1);
	cr_assert(vqd_must_kick(&drv));
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
	vq_push(&q, &c);
	linger(&l, &q, 1);
	vqd_add(&drv, &buf, 1);
	cr_assert_not(vqd_must_kick(&drv));
	cr_assert_eq(vq_pop(&q, &c), VQ_CHAIN);
}

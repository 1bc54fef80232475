/* SPDX-License-Identifier: BSD-3-Clause */
/* Which requests the loop carries out itself. */
#include "devices/fs/fs_loop.h"

#include <criterion/criterion.h>
#include <errno.h>

static int runs, answer;
static bool tried;

static int run(struct fs *fs UNUSED, struct fs_request *r)
{
	runs++;
	tried = r->wait == FS_WAIT_NOT;
	return tried ? answer : 0;
}

static int run_slowly(struct fs *fs UNUSED, struct fs_request *r UNUSED)
{
	usleep(FS_LOOP_SLOW_NS / 1000 + 1000);
	return 0;
}

static struct fs_node quick = {.quick = true}, slow;
static struct fs_request r;

static bool by_loop(struct fs_loop *l, uint16_t flags, struct fs_node *n, bool alone)
{
	const struct fs_op op = {.flags = flags, .run = run};

	r = (struct fs_request){.op = &op, .node = n};
	runs = 0;
	return fs_loop_run(l, NULL, &r, alone);
}

Test(fs_loop, what_is_done_at_once)
{
	struct fs_loop l = {0};

	cr_assert(by_loop(&l, FS_OP_FAST, &quick, false));
	cr_assert(by_loop(&l, FS_OP_SILENT, NULL, false));
	cr_assert_eq(runs, 1);
	cr_assert_not(by_loop(&l, FS_OP_FAST, &slow, true));
	cr_assert_eq(runs, 0);
}

Test(fs_loop, anything_alone_unless_it_waits)
{
	struct fs_loop l = {0};

	cr_assert(by_loop(&l, 0, &quick, true));
	cr_assert_not(by_loop(&l, 0, &quick, false));
	cr_assert_not(by_loop(&l, 0, &slow, true));
	cr_assert_not(by_loop(&l, FS_OP_WAITS, &quick, true));
	cr_assert_eq(runs, 0);
}

Test(fs_loop, what_a_cache_has)
{
	struct fs_loop l = {0};

	cr_assert(by_loop(&l, FS_OP_TRY, &quick, false));
	cr_assert(tried && runs == 1);
	answer = -EAGAIN;
	cr_assert_not(by_loop(&l, FS_OP_TRY, &quick, false));
	cr_assert_eq(r.wait, FS_WAIT_SERVER);
	cr_assert(by_loop(&l, FS_OP_TRY, &quick, true));
	cr_assert(!tried && runs == 2);
}

Test(fs_loop, is_wary_of_a_host_that_keeps_it_waiting)
{
	struct fs_loop l = {0};
	const struct fs_op op = {.run = run_slowly};

	r = (struct fs_request){.op = &op, .node = &quick};
	cr_assert(fs_loop_run(&l, NULL, &r, true));
	cr_assert_gt(l.wary_until_ns, FS_LOOP_WARY * FS_LOOP_SLOW_NS);
	l.wary_until_ns = UINT64_MAX;
	cr_assert_not(by_loop(&l, 0, &quick, true));
	cr_assert(by_loop(&l, FS_OP_FAST, &quick, true));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A line over files that block: it never waits in one, and leaves their flags as they are. */
#include "devices/core/line.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(line, .timeout = 20);

static void pipe_of(int ends[2])
{
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void sockets(int ends[2])
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	memcpy(ends, pair, sizeof(pair));
}

static void terminal(int ends[2])
{
	cr_assert_eq(openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0);
}

static const struct {
	const char *name;
	void (*make)(int ends[2]);
} kinds[] = {{"pipe", pipe_of}, {"socket", sockets}, {"terminal", terminal}};

/* Blocking still, as its other owners have it */
static bool blocks(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

Test(line, an_empty_one_gives_nothing_and_does_not_wait)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct line l;
		struct err err;
		char buf[8];
		int ends[2];

		kinds[i].make(ends);
		cr_assert_eq(line_init(ends[0], &l, &err), 0);
		cr_expect_eq(line_get(&l, buf, sizeof(buf)), -EAGAIN, "%s", kinds[i].name);
		cr_assert_eq(write(ends[1], "abc\n", 4), 4);
		cr_expect_gt(line_get(&l, buf, sizeof(buf)), 0, "%s", kinds[i].name);
		cr_expect(blocks(ends[0]), "%s", kinds[i].name);
		close(ends[0]);
		close(ends[1]);
	}
}

Test(line, a_full_one_takes_nothing_and_does_not_wait)
{
	static const char much[1 << 16];

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct line l;
		struct err err;
		ssize_t n = 0;
		int ends[2];

		kinds[i].make(ends);
		cr_assert_eq(line_init(ends[1], &l, &err), 0);
		for (int tries = 0; n >= 0 && tries < 10000; tries++)
			n = line_put(&l, much, sizeof(much));
		cr_expect_eq(n, -EAGAIN, "%s: %zd", kinds[i].name, n);
		cr_expect(blocks(ends[1]), "%s", kinds[i].name);
		close(ends[0]);
		close(ends[1]);
	}
}

Test(line, an_end_and_a_reader_that_left)
{
	struct line l;
	struct err err;
	char byte;
	int ends[2];

	sockets(ends);
	cr_assert_eq(line_init(ends[0], &l, &err), 0);
	close(ends[1]);
	cr_expect_eq(line_get(&l, &byte, 1), 0);
	cr_expect_eq(line_put(&l, "x", 1), -EPIPE);
	close(ends[0]);
}

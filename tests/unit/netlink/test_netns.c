/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/netlink/netns.h"
#include "tests/support/private_net.h"

static struct err err;

Test(netns, paths_that_are_not_a_network_namespace)
{
	char fifo[] = "/tmp/netns-fifo-XXXXXX";
	int fd = -1;

	cr_expect_eq(netns_open("/nowhere/at/all", &fd, &err), -ENOENT);
	cr_expect_eq(netns_open("/dev/null", &fd, &err), -EINVAL);
	cr_expect_eq(netns_open("/proc", &fd, &err), -EINVAL);
	cr_expect_eq(netns_open("/proc/self/ns/uts", &fd, &err), -EINVAL);
	cr_expect(strstr(err.msg, "no network namespace"), "%s", err.msg);
	close(mkstemp(fifo));
	unlink(fifo);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	cr_expect_eq(netns_open(fifo, &fd, &err), -EINVAL, "and does not wait for a writer");
	unlink(fifo);
	cr_expect_eq(fd, -1, "outputs are untouched on failure");
}

static ino_t here(void)
{
	struct stat st;

	cr_assert_eq(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

Test(netns, in_and_out)
{
	int outer = -1, inner = -1, fd = -1;
	ino_t before, made;

	private_net_or_skip();
	before = here();
	ok(netns_enter(-1, &outer, &err));
	made = here();
	cr_expect_neq(made, before);
	ok(netns_open("/proc/thread-self/ns/net", &fd, &err));
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	netns_leave(outer);
	cr_expect_eq(here(), before);
	cr_expect_eq(fcntl(outer, F_GETFD), -1, "closed");
	ok(netns_enter(fd, &inner, &err));
	cr_expect_eq(here(), made);
	netns_leave(inner);
	cr_expect_eq(here(), before);
	close(fd);
}

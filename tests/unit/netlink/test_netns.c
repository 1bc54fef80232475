/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static int note_where(struct nl *nl UNUSED, void *arg, struct err *e UNUSED)
{
	*(ino_t *)arg = here();
	return 0;
}

static bool write_map(const char *path)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0 0 1", 5) == 5;
}

/* As rootless podman calls: with all rights in a user namespace, whose network namespaces are not the one it is in */
static int looks_from_a_user_namespace(void)
{
	const ino_t before = here();
	struct netns_id id = {0};
	char path[40], byte;
	ino_t inside = 0;
	int up[2], rc;
	pid_t pid;

	if (unshare(CLONE_NEWUSER) < 0 || !write_map("/proc/self/uid_map") || pipe(up) < 0)
		return 77;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(up[1], "u", 1) == 1)
			pause();
		_exit(0);
	}
	close(up[1]);
	if (read(up[0], &byte, 1) != 1)
		return 77;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	rc = netns_inside(path, &id, note_where, &inside, &err);
	kill(pid, SIGKILL);
	return rc == 0 && inside == id.ino && inside != before && here() == before ? 0 : 1;
}

Test(netns, a_caller_that_could_not_come_back)
{
	const pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(looks_from_a_user_namespace());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 77)
		cr_skip_test("makes no user and network namespaces here");
	cr_expect_eq(WEXITSTATUS(status), 0);
}

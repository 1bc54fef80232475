/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "runtime/util/listen.h"
#include "runtime/util/unix_path.h"
#include "tests/support/temp_dir.h"

TestSuite(unix_path, .init = temp_dir_make, .fini = temp_dir_remove);

static const char *in_dir(const char *sub, size_t name_len)
{
	static char path[1024];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s/%s", temp_dir, sub);

	memset(path + len, 'n', name_len);
	path[len + name_len] = '\0';
	return path;
}

/* Fits; does not, but its name does; not even the name does */
Test(unix_path, listens_and_connects_whatever_the_length)
{
	static const size_t names[] = {8, 100, 255};
	char sub[160];
	struct err err;

	memset(sub, 'd', 120);
	sub[120] = '\0';
	cr_assert_eq(mkdir(in_dir(sub, 0), 0700), 0);
	strcpy(sub + 120, "/");
	for (unsigned int deep = 0; deep < 2; deep++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
			const char *path = in_dir(deep ? sub : "", names[i]);
			struct listener l, again;
			struct stat st;
			int fd;

			cr_assert_eq(listen_at(path, SOCK_STREAM, &l, &err), 0, "%s", err.msg);
			fd = unix_connect(path, SOCK_STREAM, 0);
			cr_expect_geq(fd, 0, "%s: %d", path, fd);
			cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
			close(fd);
			cr_expect_eq(listen_at(path, SOCK_STREAM, &again, &err), -EADDRINUSE);
			/* A SIGKILL leaves the socket. */
			close(l.fd);
			cr_expect_eq(unix_connect(path, SOCK_STREAM, 0), -ECONNREFUSED);
			cr_assert_eq(listen_at(path, SOCK_STREAM, &l, &err), 0, "stale: %s",
				     err.msg);
			listen_done(&l);
			cr_expect_eq(lstat(path, &st), -1, "%s is left", path);
		}
	}
}

Test(unix_path, what_is_no_socket_stays)
{
	const char *path = in_dir("", 200);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char longest[PATH_MAX + 1];
	struct err err;
	struct listener l;

	close(open(path, O_CREAT | O_CLOEXEC | O_RDWR, 0600));
	cr_expect_eq(unix_connect(path, SOCK_STREAM, 0), -ENOTSOCK);
	cr_expect_eq(unix_bind(fd, path), -EADDRINUSE);
	cr_expect_eq(listen_at(path, SOCK_STREAM, &l, &err), -EADDRINUSE);
	cr_expect_eq(access(path, F_OK), 0);
	unlink(path);
	cr_expect_eq(unix_connect(path, SOCK_STREAM, 0), -ENOENT);
	cr_expect_eq(unix_bind(fd, in_dir("missing/", 120)), -ENOENT);
	memset(longest, '/', PATH_MAX);
	longest[PATH_MAX] = '\0';
	cr_expect_eq(unix_bind(fd, longest), -ENAMETOOLONG);
	close(fd);
}

Test(unix_path, a_full_queue_does_not_hold_us_up)
{
	const char *path = in_dir("", 120);
	struct listener l;
	struct err err;
	int rc = 0;

	cr_assert_eq(listen_at(path, SOCK_STREAM, &l, &err), 0);
	for (unsigned int i = 0; rc >= 0 && i < 4096; i++)
		rc = unix_connect(path, SOCK_STREAM, 0);
	cr_expect_eq(rc, -EAGAIN);
	listen_done(&l);
}

Test(unix_path, only_a_socket_that_listens_is_inherited)
{
	int fd[4], pair[2];
	struct listener l;
	struct err err;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fd[0] = pair[0]; /* connected */
	fd[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd[2] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	fd[3] = open("/dev/null", O_RDWR | O_CLOEXEC);
	cr_assert_eq(unix_bind(fd[2], in_dir("", 120)), 0);
	cr_assert_eq(listen(fd[2], 1), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++)
		cr_expect_eq(listen_inherit(fd[i], &l, &err), -EINVAL, "row %u", i);
	cr_assert_eq(unix_bind(fd[1], in_dir("2", 120)), 0);
	cr_assert_eq(listen(fd[1], 1), 0);
	cr_expect_eq(listen_inherit(fd[1], &l, &err), 0, "%s", err.msg);
	cr_expect_eq(l.fd, fd[1]);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "runtime/host/share.h"

static char dir[] = "/tmp/vmrun-share-XXXXXX";
static char a[64], b[64], file[64];

static void setup(void)
{
	char cmd[256];

	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && mkdir a b && echo in-a >a/f && echo in-b >b/f && echo x >file", dir);
	cr_assert_eq(system(cmd), 0);
}

static void teardown(void)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(share, .init = setup, .fini = teardown);

static bool is_same(int fd, const char *at, const char *path)
{
	struct stat x, y;

	return fstatat(fd, at, &x, 0) == 0 && stat(path, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static int create(int fd, const char *path)
{
	const int made = openat(fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (made < 0)
		return -errno;
	close(made);
	return 0;
}

Test(share, a_directory_is_the_root_and_the_end)
{
	const struct plan_source s = {.path = a, .pointer = (char *)"/source"};
	struct statvfs v;
	struct err err = {0};
	int fd;

	cr_assert_eq(share_open(&s, 1, &fd, &err), 0, "%s", err.msg);
	cr_assert(is_same(fd, ".", a));
	cr_assert(is_same(fd, "..", a), "there is a way up");
	cr_assert(is_same(fd, "../../..", a));
	cr_assert_eq(create(fd, "new"), 0);
	cr_assert_eq(fstatvfs(fd, &v), 0);
	cr_assert_eq(v.f_flag & (ST_NOSUID | ST_NODEV), ST_NOSUID | ST_NODEV);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

Test(share, a_read_only_one_is_not_written)
{
	const struct plan_source s = {.path = a, .pointer = (char *)"/source", .readonly = true};
	struct err err = {0};
	int fd;

	cr_assert_eq(share_open(&s, 1, &fd, &err), 0, "%s", err.msg);
	cr_assert_eq(create(fd, "new"), -EROFS);
}

Test(share, several_have_their_names)
{
	const struct plan_source s[] = {
		{.path = a, .name = (char *)"one", .pointer = (char *)"/0"},
		{.path = b, .name = (char *)"two", .pointer = (char *)"/1", .readonly = true},
		{.path = file, .name = (char *)"single", .pointer = (char *)"/2"},
	};
	struct err err = {0};
	int fd;

	cr_assert_eq(share_open(s, 3, &fd, &err), 0, "%s", err.msg);
	cr_assert(is_same(fd, "one", a) && is_same(fd, "two", b) && is_same(fd, "single", file));
	cr_assert_not(is_same(fd, "one/..", dir), "there is a way up");
	cr_assert(!is_same(fd, "..", "/"));
	cr_assert_eq(create(fd, "one/new"), 0);
	cr_assert_eq(create(fd, "two/new"), -EROFS);
	cr_assert_eq(create(fd, "new"), -EROFS, "the root itself is written");
}

Test(share, a_directory_below_is_hidden)
{
	struct plan_source s[] = {
		{.path = dir, .name = (char *)"all", .pointer = (char *)"/0"},
		{.path = b, .name = (char *)"two", .pointer = (char *)"/1"},
	};
	struct err err = {0};
	int fd;

	s[0].hidden = (char *)"a";
	cr_assert_eq(share_open(s, 2, &fd, &err), 0, "%s", err.msg);
	cr_expect(is_same(fd, "all", dir) && is_same(fd, "all/b", b) && !is_same(fd, "all/a", a));
	cr_expect_eq(faccessat(fd, "all/a/f", F_OK, 0), -1);
	cr_expect_eq(create(fd, "all/a/new"), -EROFS);
	cr_expect_eq(create(fd, "all/new"), 0);
	s[0].hidden = (char *)"nowhere/a";
	cr_expect_eq(share_open(s, 2, &fd, &err), -ENOENT);
	cr_expect(strstr(err.msg, "nowhere/a"), "%s", err.msg);
}

static uint64_t mount_of(int fd, const char *at)
{
	struct statx x;

	cr_assert_eq(statx(fd, at, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &x), 0, "%s", at);
	return x.stx_mnt_id;
}

/* The fs device lets no name go that has a mount. */
Test(share, the_way_to_it_is_made_of_mounts)
{
	struct plan_source s[] = {
		{.path = dir, .name = (char *)"all", .pointer = (char *)"/0"},
		{.path = b, .name = (char *)"two", .pointer = (char *)"/1"},
	};
	char cmd[128];
	struct err err = {0};
	int fd;

	snprintf(cmd, sizeof(cmd), "mkdir -p %s/x/y/z %s/x/plain", dir, dir);
	cr_assert_eq(system(cmd), 0);
	s[0].hidden = (char *)"x/y/z";
	cr_assert_eq(share_open(s, 2, &fd, &err), 0, "%s", err.msg);
	cr_expect_neq(mount_of(fd, "all/x"), mount_of(fd, "all"));
	cr_expect_neq(mount_of(fd, "all/x/y"), mount_of(fd, "all/x"));
	cr_expect_neq(mount_of(fd, "all/x/y/z"), mount_of(fd, "all/x/y"));
	cr_expect_eq(mount_of(fd, "all/x/plain"), mount_of(fd, "all/x"));
	cr_expect_eq(create(fd, "all/x/y/new"), 0);
	cr_expect_eq(create(fd, "all/x/y/z/new"), -EROFS);
}

Test(share, wrong_sources_are_named)
{
	struct plan_source s = {.path = file, .pointer = (char *)"/source"};
	struct err err = {0};
	int fd = -1;

	cr_assert_eq(share_open(&s, 1, &fd, &err), -ENOTDIR);
	cr_assert(strstr(err.msg, "/source: ") && strstr(err.msg, "is not a directory"), "%s",
		  err.msg);
	s.path = (char *)"/tmp/vmrun-no-such-directory";
	cr_assert_eq(share_open(&s, 1, &fd, &err), -ENOENT);
	s.path = (char *)"/dev/null";
	s.name = (char *)"null";
	cr_assert_eq(share_open(&s, 1, &fd, &err), -ENOTDIR);
	cr_assert(strstr(err.msg, "or regular file"), "%s", err.msg);
	cr_assert_eq(fd, -1);
}

/* As the next one, for a source that is covered */
Test(share, a_user_hides_too)
{
	struct plan_source s[] = {{.path = dir, .name = (char *)"all", .pointer = (char *)"/0"},
				  {.path = b, .name = (char *)"two", .pointer = (char *)"/1"}};
	char cmd[128];
	struct err err = {0};
	int status, fd = -1;
	pid_t pid;

	s[0].hidden = (char *)"x/y";
	snprintf(cmd, sizeof(cmd), "chmod 755 %s && mkdir -p %s/x/y && echo >%s/x/y/f", dir, dir,
		 dir);
	cr_assert_eq(system(cmd), 0);
	pid = fork();
	if (pid == 0) {
		if (setresgid(1234, 1234, 1234) < 0 || setresuid(1234, 1234, 1234) < 0 ||
		    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
			_exit(2);
		if (share_open(s, 2, &fd, &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			_exit(1);
		}
		_exit(faccessat(fd, "all/x/y/f", F_OK, 0) == 0 ||
				      mount_of(fd, "all/x") == mount_of(fd, "all")
			      ? 3
			      : 0);
	}
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	cr_assert_eq(status, 0, "status %d", WEXITSTATUS(status));
}

/* A user who may not mount gets a user namespace for it, where the kernel gives one. */
Test(share, a_user_shares_too)
{
	const struct plan_source s = {.path = a, .pointer = (char *)"/source"};
	struct err err = {0};
	int status, fd = -1;
	pid_t pid;

	cr_assert_eq(chmod(dir, 0755), 0);
	cr_assert_eq(chown(a, 1234, 1234), 0);
	pid = fork();
	if (pid == 0) {
		if (setresgid(1234, 1234, 1234) < 0 || setresuid(1234, 1234, 1234) < 0 ||
		    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
			_exit(2);
		if (share_open(&s, 1, &fd, &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			_exit(strstr(err.msg, "user namespace") ? 3 : 1);
		}
		_exit(is_same(fd, "..", a) && create(fd, "mine") == 0 ? 0 : 4);
	}
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	cr_assert_eq(status, 0, "status %d", WEXITSTATUS(status));
}

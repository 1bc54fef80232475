/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state_link.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test-link-XXXXXX";
static struct err err;

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	cr_assert_eq(mkdir("root", 0700), 0);
	cr_assert_eq(mkdir("root/vm", 0700), 0);
	cr_assert_eq(mkdir("sub", 0700), 0);
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(state_link, .init = setup, .fini = teardown);

/* A path below @dir */
static const char *in_dir(const char *name)
{
	static char path[2][PATH_MAX];
	static unsigned int turn;

	turn = !turn;
	snprintf(path[turn], PATH_MAX, "%s/%s", dir, name);
	return path[turn];
}

Test(state_link, a_path_becomes_absolute)
{
	char is[PATH_MAX];

	cr_assert_eq(state_link_path("sock", "vm", is, &err), 0);
	cr_expect_str_eq(is, in_dir("sock"));
	cr_assert_eq(state_link_path("sub/../sub/sock", "vm", is, &err), 0);
	cr_expect_str_eq(is, in_dir("sub/sock"));
	cr_assert_eq(state_link_path("sub", "vm", is, &err), 0);
	cr_expect_str_eq(is, in_dir("sub/vm.sock"));
	cr_assert_eq(state_link_path("/sock", "vm", is, &err), 0);
	cr_expect_str_eq(is, "/sock");
	cr_assert_eq(state_link_path("/", "vm", is, &err), 0);
	cr_expect_str_eq(is, "/vm.sock");
}

Test(state_link, a_path_that_cannot_be_is_an_error)
{
	char longest[PATH_MAX + 1], is[PATH_MAX];

	cr_expect_eq(state_link_path("", "vm", is, &err), -ENOENT);
	cr_expect_eq(state_link_path("none/sock", "vm", is, &err), -ENOENT);
	memset(longest, 'x', PATH_MAX);
	longest[PATH_MAX] = '\0';
	cr_expect_eq(state_link_path(longest, "vm", is, &err), -ENAMETOOLONG);
	longest[PATH_MAX - 1] = '\0';
	cr_expect_eq(state_link_path(longest, "vm", is, &err), -ENAMETOOLONG);
}

Test(state_link, it_leads_to_the_vm)
{
	const char *root = in_dir("root");
	int fd = -1;
	struct stat a, b;

	cr_assert_eq(state_link_make(root, "vm", "sock", &err), 0);
	cr_assert_eq(state_link_open("sock", &fd, &err), 0, "%s", err.msg);
	cr_assert(fstat(fd, &a) == 0 && stat("root/vm", &b) == 0);
	cr_expect_eq(a.st_ino, b.st_ino);
	close(fd);
	cr_expect_eq(state_link_make(root, "vm", "sock", &err), -EEXIST);
	cr_assert_eq(rmdir("root/vm"), 0);
	cr_expect_eq(state_link_open("sock", &fd, &err), -ESRCH);
	state_link_remove(root, "vm", "sock");
	cr_expect_eq(state_link_open("sock", &fd, &err), -ENOENT);
}

Test(state_link, only_the_vms_own_is_removed)
{
	const char *root = in_dir("root");
	struct stat st;
	int fd = -1;

	cr_assert_eq(state_link_make(root, "other", "sock", &err), 0);
	state_link_remove(root, "vm", "sock");
	cr_expect_eq(lstat("sock", &st), 0, "another VM's");
	cr_assert_eq(close(open("file", O_CREAT | O_WRONLY, 0600)), 0);
	state_link_remove(root, "vm", "file");
	cr_expect_eq(lstat("file", &st), 0);
	cr_expect_eq(state_link_open("file", &fd, &err), -EINVAL);
	cr_assert_eq(symlink("control", "short"), 0);
	cr_expect_eq(state_link_open("short", &fd, &err), -EINVAL);
	cr_assert_eq(symlink("/control", "top"), 0);
	cr_expect_eq(state_link_open("top", &fd, &err), -EINVAL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A share holds mounts, and is in no namespace. The kernel lets names that have mounts of other namespaces go.
 */
#include <criterion/criterion.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "tests/support/fs_rig.h"

static void mount_at(const char *name, const char *source, const char *type, unsigned long flags)
{
	char from[128], at[128];

	snprintf(from, sizeof(from), "%s/%s", fs_dir, source);
	snprintf(at, sizeof(at), "%s/%s", fs_dir, name);
	cr_assert_eq(mount(from, at, type, flags, NULL), 0, "%s: %m", name);
}

static void setup(void)
{
	const char *const names[] = {"mount", "pin", "single"};
	char at[128];
	int tree;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip("takes a user who may mount");
	fs_make();
	cr_assert_eq(mkdirat(fs_at, "mount", 0755) | mkdirat(fs_at, "pin", 0755) |
			     mkdirat(fs_at, "plain", 0755) | mkdirat(fs_at, "other", 0755),
		     0);
	fs_host_file("file", "x");
	fs_host_file("single", "x");
	mount_at("mount", "tmpfs", "tmpfs", 0);
	mount_at("pin", "pin", NULL, MS_BIND);
	mount_at("single", "file", NULL, MS_BIND);
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, fs_dir,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	cr_assert_geq(tree, 0);
	/* The device's namespace has no mounts. */
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(at, sizeof(at), "%s/%s", fs_dir, names[i]);
		cr_assert_eq(umount2(at, MNT_DETACH), 0);
	}
	fs_serve(tree, 0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

static void finish(void)
{
	if (fs_at >= 0)
		fs_stop();
}

TestSuite(fs_mount, .init = setup, .fini = finish);

static int removed(uint32_t opcode, const char *name)
{
	return fs_ask(opcode, FUSE_ROOT_ID, 0, FS_STR(name), FS_END).error;
}

static int renamed(const char *from, const char *to, uint32_t flags)
{
	const struct fuse_rename2_in in = {.newdir = FUSE_ROOT_ID, .flags = flags};

	return fs_ask(FUSE_RENAME2, FUSE_ROOT_ID, 0, FS_ARG(in), FS_STR(from), FS_STR(to), FS_END)
		.error;
}

Test(fs_mount, keeps_its_name)
{
	const struct fuse_rename_in in = {.newdir = FUSE_ROOT_ID};

	cr_expect_eq(removed(FUSE_RMDIR, "mount"), -EBUSY);
	cr_expect_eq(removed(FUSE_RMDIR, "pin"), -EBUSY);
	cr_expect_eq(removed(FUSE_UNLINK, "single"), -EBUSY);
	cr_expect_eq(renamed("mount", "new", 0), -EBUSY);
	cr_expect_eq(renamed("pin", "new", 0), -EBUSY);
	cr_expect_eq(renamed("single", "new", 0), -EBUSY);
	cr_expect_eq(fs_ask(FUSE_RENAME, FUSE_ROOT_ID, 0, FS_ARG(in), FS_STR("pin"), FS_STR("new"),
			    FS_END)
			     .error,
		     -EBUSY);
}

Test(fs_mount, is_not_replaced)
{
	cr_expect_eq(renamed("plain", "mount", 0), -EBUSY);
	cr_expect_eq(renamed("file", "single", 0), -EBUSY);
	cr_expect_eq(renamed("plain", "pin", 2 /* RENAME_EXCHANGE */), -EBUSY);
}

Test(fs_mount, other_names_go)
{
	cr_expect_eq(renamed("plain", "other", 0), 0);
	cr_expect_eq(removed(FUSE_RMDIR, "other"), 0);
	cr_expect_eq(removed(FUSE_UNLINK, "file"), 0);
	cr_expect_eq(removed(FUSE_UNLINK, "nothing"), -ENOENT);
}

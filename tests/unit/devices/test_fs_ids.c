/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The fs device in a user namespace that maps ids; the test is outside, and sees what the host sees
 */
#include "tests/support/fs_rig.h"

#define ROOT	FUSE_ROOT_ID
#define OUTSIDE 100000U
#define COUNT	1000U

/* What the host says of a name below the shared directory */
static struct stat host_stat(const char *name)
{
	struct stat st = {0};

	(void)fstatat(fs_at, name, &st, AT_SYMLINK_NOFOLLOW);
	return st;
}

static void setup(void)
{
	static char map[64];

	if (geteuid() != 0)
		cr_skip_test("needs root, to map ids of others");
	snprintf(map, sizeof(map), "0 %u %u\n", OUTSIDE, COUNT);
	rig.child.ids = map;
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(chown(fs_dir, OUTSIDE, OUTSIDE), 0);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

TestSuite(fs_ids, .init = setup, .fini = fs_stop);

Test(fs_ids, what_the_guest_makes_has_a_mapped_owner)
{
	uint64_t node, fh;
	struct stat st;

	fs_user = 500;
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	st = host_stat("f");
	cr_assert_eq(st.st_uid, OUTSIDE + 500);
	cr_assert_eq(st.st_gid, OUTSIDE);
}

Test(fs_ids, and_is_its_makers_in_the_guest)
{
	uint64_t node, fh;
	int error;

	fs_user = 500;
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_lookup(ROOT, "f", &error).attr.uid, 500);
}

Test(fs_ids, an_id_without_a_map_makes_nothing)
{
	const struct fuse_mkdir_in in = {.mode = 0755};
	uint64_t node, fh;

	fs_user = COUNT;
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), -EOVERFLOW);
	cr_assert_eq(fs_ask(FUSE_MKDIR, ROOT, 256, FS_ARG(in), FS_STR("d"), FS_END).error,
		     -EOVERFLOW);
	cr_assert_eq(host_stat("f").st_nlink, 0);
	fs_user = COUNT - 1;
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(host_stat("f").st_uid, OUTSIDE + COUNT - 1);
}

Test(fs_ids, files_of_others_belong_to_the_overflow_id)
{
	struct fuse_setattr_in in = {.valid = FATTR_UID | FATTR_GID, .uid = 7, .gid = 7};
	struct fuse_entry_out e;
	int error;

	cr_assert_eq(mknodat(fs_at, "theirs", S_IFREG | 0644, 0), 0);
	cr_assert_eq(fchownat(fs_at, "theirs", 77, 77, 0), 0);
	e = fs_lookup(ROOT, "theirs", &error);
	cr_assert_eq(error, 0);
	cr_assert_eq(e.attr.uid, 65534);
	/* They are the host's: the guest's root has no say over them. */
	cr_assert_eq(fs_ask(FUSE_SETATTR, e.nodeid, 128, FS_ARG(in), FS_END).error, -EPERM);
	cr_assert_eq(host_stat("theirs").st_uid, 77);
}

Test(fs_ids, a_change_of_owner_is_mapped)
{
	struct fuse_setattr_in in = {.valid = FATTR_UID | FATTR_GID, .uid = 7, .gid = 8};
	uint64_t node, fh;
	struct stat st;

	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_ask(FUSE_SETATTR, node, 128, FS_ARG(in), FS_END).error, 0);
	st = host_stat("f");
	cr_assert(st.st_uid == OUTSIDE + 7 && st.st_gid == OUTSIDE + 8);
	in.uid = COUNT;
	cr_assert_eq(fs_ask(FUSE_SETATTR, node, 128, FS_ARG(in), FS_END).error, -EINVAL,
		     "chown(2) says EINVAL of an id without a map");
}

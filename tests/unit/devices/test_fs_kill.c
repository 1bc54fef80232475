/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a file's writer may not keep: set-user-id, set-group-id and capabilities (FUSE_HANDLE_KILLPRIV_V2)
 *
 * The device relies on the host's kernel for it, and that on a device without CAP_FSETID in the first user
 * namespace. So it is in one of its own here, as it is in a VM.
 */
#include <sys/xattr.h>

#include "tests/support/fs_rig.h"

#define ROOT	FUSE_ROOT_ID
#define OUTSIDE 100000U

static uint64_t node, fh;

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root, to map ids of others");
	rig.child.ids = "0 100000 1000\n";
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(chown(fs_dir, OUTSIDE, OUTSIDE), 0);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0755, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "0123456789", 10), 10);
}

TestSuite(fs_kill, .init = setup, .fini = fs_stop);

static unsigned int mode(void)
{
	struct stat st;

	cr_assert_eq(fstatat(fs_at, "f", &st, 0), 0);
	return st.st_mode & 07777;
}

/* The user who asks; 0 is the guest's root */
static const uint32_t users[] = {0, 500};

static void prepare(uint32_t user, unsigned int bits)
{
	fs_user = user;
	fs_group = user;
	cr_assert_eq(fs_write(node, fh, 0, "0123456789", 10), 10);
	cr_assert_eq(fchmodat(fs_at, "f", bits, 0), 0);
	cr_assert_eq(mode(), bits);
}

static void truncate_by(uint32_t valid)
{
	const struct fuse_setattr_in in = {.valid = FATTR_SIZE | valid, .fh = fh, .size = 5};

	cr_assert_eq(fs_ask(FUSE_SETATTR, node, 128, FS_ARG(in), FS_END).error, 0);
}

static void by_write(uint32_t flags)
{
	const struct fuse_write_in in = {.fh = fh, .size = 1, .write_flags = flags};

	cr_assert_eq(fs_ask(FUSE_WRITE, node, 16, FS_ARG(in), (const void *)"x", (size_t)1, FS_END)
			     .error,
		     0);
}

static void a_write(void)
{
	by_write(FUSE_WRITE_KILL_SUIDGID);
}

static void a_write_that_does_not_say_so(void)
{
	by_write(0);
}

static void a_truncation(void)
{
	truncate_by(FATTR_KILL_SUIDGID);
}

static void a_truncation_of_an_open_file(void)
{
	truncate_by(FATTR_FH | FATTR_KILL_SUIDGID);
}

static void an_open(void)
{
	const struct fuse_open_in in = {.flags = O_RDWR | O_TRUNC,
					.open_flags = FUSE_OPEN_KILL_SUIDGID};

	cr_assert_eq(fs_ask(FUSE_OPEN, node, 16, FS_ARG(in), FS_END).error, 0);
}

static void a_create_of_what_exists(void)
{
	const struct fuse_create_in in = {
		.flags = O_RDWR | O_TRUNC, .mode = 0644, .open_flags = FUSE_OPEN_KILL_SUIDGID};

	cr_assert_eq(fs_ask(FUSE_CREATE, ROOT, 256, FS_ARG(in), FS_STR("f"), FS_END).error, 0);
}

static void a_chown(void)
{
	const struct fuse_setattr_in in = {.valid = FATTR_UID | FATTR_KILL_SUIDGID, .uid = 7};

	cr_assert_eq(fs_ask(FUSE_SETATTR, node, 128, FS_ARG(in), FS_END).error, 0);
}

static void a_fallocate(void)
{
	const struct fuse_fallocate_in in = {.fh = fh, .length = 8192};

	cr_assert_eq(fs_ask(FUSE_FALLOCATE, node, 0, FS_ARG(in), FS_END).error, 0);
}

static void a_copy(void)
{
	struct fuse_copy_file_range_in in = {.fh_in = fh, .len = 2, .off_out = 8};
	struct fs_reply r;

	in.nodeid_out = node;
	in.fh_out = fh;
	r = fs_ask(FUSE_COPY_FILE_RANGE, node, 16, FS_ARG(in), FS_END);
	cr_assert(r.error == 0 && ((const struct fuse_write_out *)r.body)->size == 2);
}

#define CASE(name)                                                                                 \
	{                                                                                          \
#name, name                                                                        \
	}

static const struct {
	const char *name;
	void (*change)(void);
} cases[] = {
	CASE(a_write),	   CASE(a_write_that_does_not_say_so), CASE(a_truncation),
	CASE(a_chown),	   CASE(a_truncation_of_an_open_file), CASE(an_open),
	CASE(a_fallocate), CASE(a_create_of_what_exists),      CASE(a_copy),
};

Test(fs_kill, a_change_ends_the_bits)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned int u = 0; u < ARRAY_SIZE(users); u++) {
			prepare(users[u], 06755);
			cases[i].change();
			cr_expect_eq(mode(), 0755, "%s by %u: %o", cases[i].name, users[u], mode());
		}
	}
}

/* Without execution for its group the bit is no privilege. */
Test(fs_kill, the_other_meaning_of_set_group_id_stays)
{
	prepare(0, 02745);
	a_write();
	cr_expect_eq(mode(), 02745);
}

Test(fs_kill, a_write_ends_capabilities)
{
	static const uint32_t caps[5] = {0x02000000, 1};
	char path[80];

	snprintf(path, sizeof(path), "%s/f", fs_dir);
	cr_assert_eq(setxattr(path, "security.capability", caps, sizeof(caps), 0), 0);
	a_write();
	cr_expect_lt(getxattr(path, "security.capability", NULL, 0), 0);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Labels of what a guest makes
 *
 * An attribute of no LSM stands for theirs: root may set it, and nothing judges its value.
 */
#include <sys/xattr.h>

#include "tests/support/fs_rig.h"

#define ROOT  FUSE_ROOT_ID
#define LABEL "security.test"
#define TEXT  "system_u:object_r:t"

static void start(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root, to set such attributes");
	fs_settings.flags = FS_SECURITY_CTX;
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

static void start_mapped(void)
{
	rig.child.ids = "0 100000 1000\n";
	start();
	cr_assert_eq(chown(fs_dir, 100000, 100000), 0);
}

TestSuite(fs_context, .init = start, .fini = fs_stop);
TestSuite(fs_context_mapped, .init = start_mapped, .fini = fs_stop);

/* The label of a name; "": none */
static const char *label(const char *name)
{
	static char text[64];
	char path[128];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", fs_dir, name);
	n = lgetxattr(path, LABEL, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* What follows the names: a header, @nr contexts in @bytes all in all */
struct context {
	uint32_t size, nr;
	struct {
		uint32_t size, padding;
	} one;
	char rest[80];
};

static struct context of(const char *name, const char *value)
{
	const size_t len = strlen(name) + 1, bytes = strlen(value) + 1;
	struct context c = {.size = (uint32_t)(16 + len + bytes + 7) & ~7U, .nr = 1};

	c.one.size = (uint32_t)bytes;
	memcpy(c.rest, name, len);
	memcpy(c.rest + len, value, bytes);
	return c;
}

static int make(uint32_t opcode, const char *name, const struct context *c, size_t bytes)
{
	const struct fuse_create_in create = {.flags = O_RDWR, .mode = S_IFREG | 0644};
	const struct fuse_mknod_in mknod = {.mode = S_IFIFO | 0644};
	const struct fuse_mkdir_in mkdir = {.mode = 0755};
	const uint32_t room = 256;

	switch (opcode) {
	case FUSE_MKDIR:
		return fs_ask(opcode, ROOT, room, FS_ARG(mkdir), FS_STR(name), (const void *)c,
			      bytes, FS_END)
			.error;
	case FUSE_MKNOD:
		return fs_ask(opcode, ROOT, room, FS_ARG(mknod), FS_STR(name), (const void *)c,
			      bytes, FS_END)
			.error;
	case FUSE_SYMLINK:
		return fs_ask(opcode, ROOT, room, FS_STR(name), FS_STR("to/there"), (const void *)c,
			      bytes, FS_END)
			.error;
	default:
		return fs_ask(opcode, ROOT, room, FS_ARG(create), FS_STR(name), (const void *)c,
			      bytes, FS_END)
			.error;
	}
}

static const struct {
	uint32_t opcode;
	const char *name;
} makers[] = {
	{FUSE_MKDIR, "dir"}, {FUSE_MKNOD, "pipe"}, {FUSE_SYMLINK, "link"}, {FUSE_CREATE, "file"}};

Test(fs_context, is_offered_when_asked_for)
{
	const struct fuse_init_out *out = fs_hello(~0ULL).body;

	cr_assert_eq(out->flags2 & 1, 1);
}

Test(fs_context, is_what_is_made_with)
{
	const struct context c = of(LABEL, TEXT);

	for (unsigned int i = 0; i < ARRAY_SIZE(makers); i++) {
		cr_expect_eq(make(makers[i].opcode, makers[i].name, &c, c.size), 0, "%s",
			     makers[i].name);
		cr_expect_str_eq(label(makers[i].name), TEXT, "%s", makers[i].name);
	}
	cr_expect_eq(make(FUSE_TMPFILE, "x", &c, c.size), 0);
}

Test(fs_context, may_be_none)
{
	const struct context c = {.size = 8};

	for (unsigned int i = 0; i < ARRAY_SIZE(makers); i++) {
		cr_expect_eq(make(makers[i].opcode, makers[i].name, &c, 8), 0);
		cr_expect_str_eq(label(makers[i].name), "");
	}
	cr_expect_eq(make(FUSE_TMPFILE, "x", &c, 8), 0);
}

Test(fs_context, of_another_form_makes_nothing)
{
	const struct context good = of(LABEL, TEXT);
	struct context bad[12];
	struct stat st;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].size = 7;
	bad[1].size = UINT32_MAX;
	bad[2].size = good.size + 8;
	bad[3].size = 8;
	bad[4].size = 15;
	bad[5].size = 16;
	bad[6].nr = 2;
	bad[7].nr = UINT32_MAX;
	bad[8].one.size = UINT32_MAX;
	bad[9].one.size = (uint32_t)sizeof(bad[9].rest);
	bad[10] = of("security.capability", TEXT);
	bad[11] = of("user.test", TEXT);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(make(FUSE_CREATE, "f", &bad[i], good.size < 40 ? 40 : good.size),
			     -EINVAL, "%u", i);
	for (size_t n = 0; n < 8; n++)
		cr_expect_eq(make(FUSE_MKDIR, "f", &good, n), -EINVAL, "%zu bytes", n);
	cr_expect_eq(make(FUSE_TMPFILE, "x", &good, 4), -EINVAL);
	cr_expect_lt(fstatat(fs_at, "f", &st, 0), 0);
}

/* In a user namespace of its own the device may not set attributes of which no LSM says who may. */
Test(fs_context_mapped, that_cannot_be_had_makes_nothing)
{
	const struct context c = of(LABEL, TEXT), none = {.size = 8};
	struct stat st;

	for (unsigned int i = 0; i < ARRAY_SIZE(makers); i++) {
		cr_expect_eq(make(makers[i].opcode, makers[i].name, &c, c.size), -EPERM, "%s",
			     makers[i].name);
		cr_expect_lt(fstatat(fs_at, makers[i].name, &st, AT_SYMLINK_NOFOLLOW), 0, "%s",
			     makers[i].name);
		cr_expect_eq(make(makers[i].opcode, makers[i].name, &none, 8), 0, "%s",
			     makers[i].name);
	}
}

Test(fs_context, is_not_given_to_what_exists)
{
	const struct context c = of(LABEL, TEXT), none = {.size = 8};

	cr_assert_eq(make(FUSE_CREATE, "f", &none, 8), 0);
	cr_assert_eq(make(FUSE_CREATE, "f", &c, c.size), 0);
	cr_assert_str_eq(label("f"), "");
	cr_assert_eq(make(FUSE_MKDIR, "f", &c, c.size), -EEXIST);
	cr_assert_str_eq(label("f"), "");
}

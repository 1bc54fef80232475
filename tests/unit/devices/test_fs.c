/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/fs_rig.h"

#define ROOT FUSE_ROOT_ID

static void setup(void)
{
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

TestSuite(fs, .init = setup, .fini = fs_stop);

/* ---- hello --------------------------------------------------------------------------------- */

Test(fs, agrees_on_what_both_know)
{
	const struct fuse_init_out *out;
	struct fs_reply r = fs_hello(~0ULL);

	out = r.body;
	cr_assert_eq(r.error, 0);
	cr_assert_eq(r.bytes, sizeof(*out));
	cr_assert(out->major == 7 && out->minor == 38);
	cr_assert_eq(out->max_write, 1 << 20);
	cr_assert_eq(out->max_pages, 256);
	cr_assert(out->flags & FUSE_MAX_PAGES && out->flags & FUSE_SUBMOUNTS);
	cr_assert_eq(out->flags & (FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS | FUSE_EXPORT_SUPPORT |
				   FUSE_WRITEBACK_CACHE),
		     0, "offered what it does not do, or was not asked for");
	cr_assert_eq(out->flags2, 1U << (40 - 32), "mounts with mapped ids");
}

Test(fs, refuses_a_protocol_that_is_too_old)
{
	struct fuse_init_in in = {.major = 7, .minor = 30};

	cr_assert_eq(fs_ask(FUSE_INIT, 0, 64, FS_ARG(in), FS_END).error, -EPROTO);
	in.major = 6;
	cr_assert_eq(fs_ask(FUSE_INIT, 0, 64, FS_ARG(in), FS_END).error, -EPROTO);
}

Test(fs, offers_its_version_to_a_newer_guest)
{
	const struct fuse_init_in in = {.major = 8, .minor = 1};
	struct fs_reply r = fs_ask(FUSE_INIT, 0, 64, FS_ARG(in), FS_END);
	int error;

	cr_assert_eq(r.error, 0);
	cr_assert_eq(((const struct fuse_init_out *)r.body)->major, 7);
	fs_host_file("f", "");
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	fs_lookup(ROOT, "f", &error);
	cr_assert_eq(error, 0);
}

Test(fs_alone, answers_nothing_before_hello)
{
	int error;

	fs_start(0, FS_CACHE_AUTO);
	fs_lookup(ROOT, "f", &error);
	cr_assert_eq(error, -EIO);
	fs_stop();
}

/* ---- names --------------------------------------------------------------------------------- */

Test(fs, finds_what_is_there)
{
	struct fuse_entry_out e;
	struct stat st;
	int error;

	fs_host_file("f", "hello");
	e = fs_lookup(ROOT, "f", &error);
	cr_assert_eq(error, 0);
	cr_assert_eq(fstatat(fs_at, "f", &st, 0), 0);
	cr_assert_eq(e.attr.ino, st.st_ino);
	cr_assert_eq(e.attr.size, 5);
	cr_assert_eq(e.attr.mode, st.st_mode);
	cr_assert_eq(e.attr.nlink, 1);
	cr_assert_eq(e.attr.mtime, (uint64_t)st.st_mtim.tv_sec);
	cr_assert_eq(e.entry_valid, 1);
	cr_assert_eq(fs_lookup(ROOT, "f", &error).nodeid, e.nodeid, "one inode, one number");
	fs_lookup(ROOT, "g", &error);
	cr_assert_eq(error, -ENOENT);
	fs_lookup(e.nodeid, "g", &error);
	cr_assert_eq(error, -ENOTDIR);
}

Test(fs, takes_only_names)
{
	static const char *const wrong[] = {"", ".", "..", "/", "a/b", "../x", "/etc"};
	char longest[300];
	int error;

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		fs_lookup(ROOT, wrong[i], &error);
		cr_expect_eq(error, -EINVAL, "\"%s\": %d", wrong[i], error);
	}
	memset(longest, 'n', sizeof(longest));
	longest[255] = '\0';
	fs_lookup(ROOT, longest, &error);
	cr_assert_eq(error, -ENOENT);
	longest[255] = 'n';
	longest[256] = '\0';
	fs_lookup(ROOT, longest, &error);
	cr_assert_eq(error, -ENAMETOOLONG);
	cr_assert_eq(
		fs_ask(FUSE_LOOKUP, ROOT, 128, (const void *)"unterminated", (size_t)12, FS_END)
			.error,
		-EINVAL);
}

Test(fs, follows_no_link)
{
	struct fuse_entry_out e;
	struct fs_reply r;
	int error;

	cr_assert_eq(symlinkat("/etc", fs_at, "out"), 0);
	e = fs_lookup(ROOT, "out", &error);
	cr_assert(S_ISLNK(e.attr.mode));
	fs_lookup(e.nodeid, "passwd", &error);
	cr_assert_eq(error, -ENOTDIR);
	r = fs_ask(FUSE_READLINK, e.nodeid, 4096, FS_END);
	cr_assert_eq(r.error, 0);
	cr_assert(r.bytes == 4 && memcmp(r.body, "/etc", 4) == 0);
}

Test(fs, makes_every_kind_of_name)
{
	const struct fuse_mkdir_in dir = {.mode = 0750};
	const struct fuse_mknod_in fifo = {.mode = S_IFIFO | 0600},
				   dev = {.mode = S_IFBLK | 0600, .rdev = 0x801},
				   chr = {.mode = S_IFCHR | 0600, .rdev = 0x103};
	const uint32_t room = sizeof(struct fuse_entry_out);
	struct fuse_link_in link;
	struct stat st;

	cr_assert_eq(fs_ask(FUSE_MKDIR, ROOT, room, FS_ARG(dir), FS_STR("d"), FS_END).error, 0);
	cr_assert(fstatat(fs_at, "d", &st, 0) == 0 && st.st_mode == (S_IFDIR | 0750));
	cr_assert_eq(fs_ask(FUSE_MKDIR, ROOT, room, FS_ARG(dir), FS_STR("d"), FS_END).error,
		     -EEXIST);
	cr_assert_eq(fs_ask(FUSE_MKNOD, ROOT, room, FS_ARG(fifo), FS_STR("p"), FS_END).error, 0);
	cr_assert(fstatat(fs_at, "p", &st, 0) == 0 && S_ISFIFO(st.st_mode));
	cr_assert_eq(fs_ask(FUSE_MKNOD, ROOT, room, FS_ARG(dev), FS_STR("b"), FS_END).error,
		     -EPERM);
	cr_assert_eq(fs_ask(FUSE_MKNOD, ROOT, room, FS_ARG(chr), FS_STR("c"), FS_END).error,
		     -EPERM);
	cr_assert_eq(
		fs_ask(FUSE_SYMLINK, ROOT, room, FS_STR("s"), FS_STR("../any/where"), FS_END).error,
		0);
	cr_assert(fstatat(fs_at, "s", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode));
	fs_host_file("f", "x");
	link.oldnodeid = fs_node(ROOT, "f");
	cr_assert_eq(fs_ask(FUSE_LINK, fs_node(ROOT, "d"), room, FS_ARG(link), FS_STR("l"), FS_END)
			     .error,
		     0);
	cr_assert(fstatat(fs_at, "d/l", &st, 0) == 0 && st.st_nlink == 2);
}

Test(fs, moves_and_removes_names)
{
	const struct fuse_mkdir_in dir = {.mode = 0755};
	struct fuse_rename_in to;
	struct fuse_rename2_in how = {.flags = RENAME_NOREPLACE};

	cr_assert_eq(fs_ask(FUSE_MKDIR, ROOT, 128, FS_ARG(dir), FS_STR("d"), FS_END).error, 0);
	fs_host_file("a", "a");
	fs_host_file("b", "b");
	to.newdir = fs_node(ROOT, "d");
	cr_assert_eq(fs_ask(FUSE_RENAME, ROOT, 0, FS_ARG(to), FS_STR("a"), FS_STR("moved"), FS_END)
			     .error,
		     0);
	cr_assert_str_eq(fs_host_text("d/moved"), "a");
	how.newdir = to.newdir;
	cr_assert_eq(
		fs_ask(FUSE_RENAME2, ROOT, 0, FS_ARG(how), FS_STR("b"), FS_STR("moved"), FS_END)
			.error,
		-EEXIST);
	cr_assert_eq(fs_ask(FUSE_RMDIR, ROOT, 0, FS_STR("d"), FS_END).error, -ENOTEMPTY);
	cr_assert_eq(fs_ask(FUSE_UNLINK, to.newdir, 0, FS_STR("moved"), FS_END).error, 0);
	cr_assert_eq(fs_ask(FUSE_UNLINK, ROOT, 0, FS_STR("d"), FS_END).error, -EISDIR);
	cr_assert_eq(fs_ask(FUSE_RMDIR, ROOT, 0, FS_STR("d"), FS_END).error, 0);
	cr_assert_eq(fs_ask(FUSE_RMDIR, ROOT, 0, FS_STR(".."), FS_END).error, -EINVAL);
}

/* Without a jail too: it keeps its rights to find what the guest's root may, whichever user asked before. */
Test(fs, acts_for_one_user_after_another)
{
	struct stat st;
	uint64_t node, fh;

	if (geteuid() != 0)
		cr_skip("takes root");
	cr_assert_eq(mkdirat(fs_at, "closed", 0700), 0);
	fs_host_file("closed/f", "");
	cr_assert_eq(fchmodat(fs_at, ".", 0777, 0), 0);
	fs_user = 1234;
	cr_assert_eq(fs_create(ROOT, "theirs", O_RDWR, 0600, &node, &fh), 0);
	cr_assert(fstatat(fs_at, "theirs", &st, 0) == 0 && st.st_uid == 1234);
	fs_user = 0;
	(void)fs_node(fs_node(ROOT, "closed"), "f");
}

/* ---- data ---------------------------------------------------------------------------------- */

Test(fs, writes_and_reads)
{
	static uint8_t big[300000];
	uint64_t node, fh;
	struct fs_reply r;

	for (unsigned int i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0640, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "hello", 5), 5);
	cr_assert_eq(fs_write(node, fh, 5, ", world", 7), 7);
	cr_assert_str_eq(fs_host_text("f"), "hello, world");
	r = fs_read(FUSE_READ, node, fh, 7, 4096);
	cr_assert(r.error == 0 && r.bytes == 5 && memcmp(r.body, "world", 5) == 0);
	r = fs_read(FUSE_READ, node, fh, 12, 4096);
	cr_assert(r.error == 0 && r.bytes == 0);
	cr_assert_eq(fs_write(node, fh, 4096, big, sizeof(big)), sizeof(big));
	r = fs_read(FUSE_READ, node, fh, 4096, sizeof(big));
	cr_assert(r.error == 0 && r.bytes == sizeof(big) && memcmp(r.body, big, sizeof(big)) == 0);
	cr_assert_eq(fs_release(FUSE_RELEASE, node, fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "x", 1), -EBADF, "released, and still open");
}

Test(fs, writes_only_what_was_sent)
{
	struct fuse_write_in in = {.size = 100};
	uint64_t node;

	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0640, &node, &in.fh), 0);
	cr_assert_eq(
		fs_ask(FUSE_WRITE, node, 8, FS_ARG(in), (const void *)"short", (size_t)5, FS_END)
			.error,
		-EINVAL);
	in.size = 1;
	in.offset = UINT64_MAX;
	cr_assert_eq(
		fs_ask(FUSE_WRITE, node, 8, FS_ARG(in), (const void *)"x", (size_t)1, FS_END).error,
		-EINVAL);
	cr_assert_eq(fs_read(FUSE_READ, node, in.fh, UINT64_MAX, 10).bytes, 0);
}

Test(fs, opens_only_files_for_use)
{
	uint64_t fh;

	cr_assert_eq(mkfifoat(fs_at, "p", 0600), 0);
	cr_assert_eq(mkdirat(fs_at, "d", 0700), 0);
	cr_assert_eq(symlinkat("f", fs_at, "s"), 0);
	cr_assert_eq(fs_open(FUSE_OPEN, fs_node(ROOT, "p"), O_RDONLY, &fh), -EINVAL,
		     "it waits for a writer");
	cr_assert_eq(fs_open(FUSE_OPEN, fs_node(ROOT, "d"), O_RDONLY, &fh), -EISDIR);
	cr_assert_eq(fs_open(FUSE_OPEN, fs_node(ROOT, "s"), O_RDONLY, &fh), -EINVAL);
	cr_assert_eq(fs_open(FUSE_OPENDIR, fs_node(ROOT, "p"), O_RDONLY, &fh), -ENOTDIR);
	cr_assert_eq(fs_create(ROOT, "p", O_RDWR, 0600, &fh, &fh), -EINVAL);
	cr_assert_eq(fs_create(ROOT, "d", O_RDWR, 0600, &fh, &fh), -EISDIR);
}

Test(fs, creates_or_opens_what_is_there)
{
	uint64_t node, fh, again;

	fs_host_file("f", "old");
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR | O_EXCL, 0600, &node, &fh), -EEXIST);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_node(ROOT, "f"), node);
	cr_assert_eq(fs_read(FUSE_READ, node, fh, 0, 100).bytes, 3);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR | O_TRUNC, 0600, &again, &fh), 0);
	cr_assert_eq(again, node);
	cr_assert_str_eq(fs_host_text("f"), "");
}

Test(fs, a_file_without_a_name_stays)
{
	uint64_t node, fh;
	struct fs_reply r;

	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "kept", 4), 4);
	cr_assert_eq(fs_ask(FUSE_UNLINK, ROOT, 0, FS_STR("f"), FS_END).error, 0);
	r = fs_read(FUSE_READ, node, fh, 0, 100);
	cr_assert(r.error == 0 && r.bytes == 4);
	cr_assert_eq(fs_open(FUSE_OPEN, node, O_RDWR, &fh), 0);
	cr_assert_eq(fs_read(FUSE_READ, node, fh, 0, 100).bytes, 4);
}

/* ---- attributes ---------------------------------------------------------------------------- */

Test(fs, changes_attributes)
{
	struct fuse_setattr_in in = {.valid = FATTR_MODE | FATTR_SIZE | FATTR_MTIME,
				     .mode = 0604,
				     .size = 3,
				     .mtime = 1000000000,
				     .mtimensec = 5};
	struct fs_reply r;
	struct stat st;

	fs_host_file("f", "hello");
	r = fs_ask(FUSE_SETATTR, fs_node(ROOT, "f"), sizeof(struct fuse_attr_out), FS_ARG(in),
		   FS_END);
	cr_assert_eq(r.error, 0);
	cr_assert_eq(((const struct fuse_attr_out *)r.body)->attr.size, 3);
	cr_assert_eq(fstatat(fs_at, "f", &st, 0), 0);
	cr_assert_eq(st.st_mode, S_IFREG | 0604);
	cr_assert_eq(st.st_size, 3);
	cr_assert(st.st_mtim.tv_sec == 1000000000 && st.st_mtim.tv_nsec == 5);
	in = (struct fuse_setattr_in){.valid = FATTR_SIZE, .size = UINT64_MAX};
	cr_assert_eq(fs_ask(FUSE_SETATTR, fs_node(ROOT, "f"), 128, FS_ARG(in), FS_END).error,
		     -EFBIG);
	in = (struct fuse_setattr_in){.valid = FATTR_SIZE | FATTR_FH, .fh = 77};
	cr_assert_eq(fs_ask(FUSE_SETATTR, fs_node(ROOT, "f"), 128, FS_ARG(in), FS_END).error,
		     -EBADF);
}

Test(fs, keeps_extended_attributes)
{
	const struct fuse_setxattr_in set = {.size = 5};
	struct fuse_getxattr_in get = {.size = 0};
	struct fs_reply r;
	uint64_t node;

	fs_host_file("f", "");
	node = fs_node(ROOT, "f");
	r = fs_ask(FUSE_SETXATTR, node, 0, (const void *)&set, (size_t)8, FS_STR("user.colour"),
		   (const void *)"green", (size_t)5, FS_END);
	if (r.error == -EOPNOTSUPP)
		cr_skip("no extended attributes in /tmp");
	cr_assert_eq(r.error, 0);
	r = fs_ask(FUSE_GETXATTR, node, 8, FS_ARG(get), FS_STR("user.colour"), FS_END);
	cr_assert(r.error == 0 && r.bytes == 8 &&
		  ((const struct fuse_getxattr_out *)r.body)->size == 5);
	get.size = 3;
	cr_assert_eq(
		fs_ask(FUSE_GETXATTR, node, 100, FS_ARG(get), FS_STR("user.colour"), FS_END).error,
		-ERANGE);
	get.size = 100;
	r = fs_ask(FUSE_GETXATTR, node, 100, FS_ARG(get), FS_STR("user.colour"), FS_END);
	cr_assert(r.error == 0 && r.bytes == 5 && memcmp(r.body, "green", 5) == 0);
	r = fs_ask(FUSE_LISTXATTR, node, 100, FS_ARG(get), FS_END);
	cr_assert(r.error == 0 && r.bytes >= 12);
	cr_assert_eq(fs_ask(FUSE_REMOVEXATTR, node, 0, FS_STR("user.colour"), FS_END).error, 0);
	cr_assert_eq(
		fs_ask(FUSE_GETXATTR, node, 100, FS_ARG(get), FS_STR("user.colour"), FS_END).error,
		-ENODATA);
}

/* ---- numbers ------------------------------------------------------------------------------- */

Test(fs, believes_no_number)
{
	const uint64_t wrong[] = {0, 2, 1ULL << 32 | 1, UINT32_MAX, UINT64_MAX};
	const struct fuse_getattr_in get = {0};
	struct fuse_rename_in to;
	uint64_t fh;

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(fs_ask(FUSE_GETATTR, wrong[i], 128, FS_ARG(get), FS_END).error,
			     -ESTALE);
		cr_expect_eq(fs_read(FUSE_READ, ROOT, wrong[i], 0, 10).error, -EBADF);
		cr_expect_eq(fs_release(FUSE_RELEASE, ROOT, wrong[i]), -EBADF);
		to.newdir = wrong[i];
		cr_expect_eq(
			fs_ask(FUSE_RENAME, ROOT, 0, FS_ARG(to), FS_STR("a"), FS_STR("b"), FS_END)
				.error,
			-ESTALE);
	}
	cr_assert_eq(fs_open(FUSE_OPENDIR, ROOT, O_RDONLY, &fh), 0);
	cr_assert_eq(fs_read(FUSE_READ, ROOT, fh, 0, 10).error, -EBADF, "a directory is no file");
}

Test(fs, forgets_when_all_lookups_are_forgotten)
{
	const struct fuse_getattr_in get = {0};
	uint64_t node, other;

	fs_host_file("f", "");
	node = fs_node(ROOT, "f");
	(void)fs_node(ROOT, "f");
	fs_forget(node, 1);
	cr_assert_eq(fs_ask(FUSE_GETATTR, node, 128, FS_ARG(get), FS_END).error, 0);
	fs_forget(node, 1000000);
	cr_assert_eq(fs_ask(FUSE_GETATTR, node, 128, FS_ARG(get), FS_END).error, -ESTALE);
	fs_host_file("g", "");
	other = fs_node(ROOT, "g");
	cr_assert_neq(other, node, "the old number means another inode");
	fs_forget(ROOT, UINT64_MAX);
	cr_assert_eq(fs_ask(FUSE_GETATTR, ROOT, 128, FS_ARG(get), FS_END).error, 0,
		     "the root stays");
}

Test(fs, a_ring_that_stops_is_no_end)
{
	const struct fuse_getattr_in get = {0};
	uint64_t node, fh;

	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	dev_rig_stop_ring(&rig, 0);
	dev_rig_stop_ring(&rig, 1);
	dev_rig_ring(&rig, 1, 64);
	cr_assert_eq(fs_ask(FUSE_GETATTR, node, 128, FS_ARG(get), FS_END).error, 0);
	cr_assert_eq(fs_write(node, fh, 0, "x", 1), 1);
}

Test(fs, a_new_mount_knows_nothing)
{
	const struct fuse_getattr_in get = {0};
	uint64_t node, fh;

	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_ask(FUSE_DESTROY, 0, 0, FS_END).error, 0);
	cr_assert_eq(fs_ask(FUSE_GETATTR, ROOT, 128, FS_ARG(get), FS_END).error, -EIO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	cr_assert_eq(fs_ask(FUSE_GETATTR, node, 128, FS_ARG(get), FS_END).error, -ESTALE);
	cr_assert_eq(fs_write(node, fh, 0, "x", 1), -ESTALE);
	cr_assert_eq(fs_write(ROOT, fh, 0, "x", 1), -EBADF);
	cr_assert_eq(fs_ask(FUSE_GETATTR, ROOT, 128, FS_ARG(get), FS_END).error, 0);
}

Test(fs, opcodes_without_meaning_are_not_offered)
{
	static const uint32_t none[] = {0,  FUSE_BMAP, FUSE_POLL, FUSE_SETUPMAPPING,
					53, 4096,      UINT32_MAX};

	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		cr_expect_eq(fs_ask(none[i], ROOT, 128, FS_STR("x"), FS_END).error, -ENOSYS, "%u",
			     none[i]);
}

Test(fs, the_header_of_an_answer_may_be_cut_anywhere)
{
	const struct fuse_in_header in = {.len = 40, .opcode = FUSE_STATFS, .nodeid = ROOT};
	struct vqd_buf buf[18] = {{FS_IN_GPA, 40, false}};
	struct fuse_out_header out;

	memcpy(vqd_at(&rig.mem, FS_IN_GPA, 40), &in, 40);
	for (unsigned int i = 0; i < sizeof(out); i++)
		buf[1 + i] = (struct vqd_buf){FS_OUT_GPA + 2 * i, 1, true};
	buf[17] = (struct vqd_buf){FS_OUT_GPA + 64, sizeof(struct fuse_statfs_out), true};
	cr_assert_eq(dev_rig_submit(&rig, 1, buf, 18),
		     sizeof(out) + sizeof(struct fuse_statfs_out));
	for (unsigned int i = 0; i < sizeof(out); i++)
		((uint8_t *)&out)[i] = *(const uint8_t *)vqd_at(&rig.mem, FS_OUT_GPA + 2 * i, 1);
	cr_assert_eq(out.error, 0);
	cr_assert_eq(out.len, sizeof(out) + sizeof(struct fuse_statfs_out));
}

Test(fs, a_chain_without_room_for_an_answer_breaks_the_queue)
{
	const struct vqd_buf buf[] = {{FS_IN_GPA, 40, false}, {FS_OUT_GPA, 15, true}};
	const struct fuse_in_header in = {.len = 40, .opcode = FUSE_STATFS, .nodeid = ROOT};

	memcpy(vqd_at(&rig.mem, FS_IN_GPA, 40), &in, 40);
	vqd_add(&rig.ring[1], buf, 2);
	dev_rig_kick(&rig, 1);
	dev_rig_expect_broken(&rig, 1);
}

/* ---- directories --------------------------------------------------------------------------- */

/* Reads a directory to its end: how many names, and with @plus how many came with an inode */
static unsigned int list(uint32_t opcode, uint32_t room, unsigned int *ret_nodes)
{
	const bool plus = opcode == FUSE_READDIRPLUS;
	unsigned int names = 0;
	uint64_t fh, off = 0;

	*ret_nodes = 0;
	cr_assert_eq(fs_open(FUSE_OPENDIR, ROOT, O_RDONLY, &fh), 0);
	while (true) {
		struct fs_reply r = fs_read(opcode, ROOT, fh, off, room);
		const uint8_t *at = r.body, *end = at + r.bytes;

		cr_assert_eq(r.error, 0, "%d", r.error);
		if (r.bytes == 0)
			break;
		while (at < end) {
			const size_t before = plus ? sizeof(struct fuse_entry_out) : 0;
			const struct fuse_dirent *e = (const void *)(at + before);

			if (plus)
				*ret_nodes += *(const uint64_t *)at != 0;
			names++;
			off = e->off;
			at += FUSE_DIRENT_ALIGN(before + FUSE_NAME_OFFSET + e->namelen);
		}
		cr_assert_eq(at, end);
	}
	cr_assert_eq(fs_release(FUSE_RELEASEDIR, ROOT, fh), 0);
	return names;
}

Test(fs, lists_directories)
{
	unsigned int nodes;
	char name[260];

	for (unsigned int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%0*u", (int)(1 + i % 200), i);
		fs_host_file(name, "");
	}
	cr_assert_eq(list(FUSE_READDIR, 4096, &nodes), 302);
	cr_assert_eq(list(FUSE_READDIR, 65536, &nodes), 302);
	cr_assert_eq(list(FUSE_READDIRPLUS, 4096, &nodes), 302);
	cr_assert_eq(nodes, 300, "all but . and ..");
	cr_assert_eq(list(FUSE_READDIRPLUS, 1 << 20, &nodes), 302);
	cr_assert_eq(nodes, 300);
}

/* ---- read-only ----------------------------------------------------------------------------- */

Test(fs_alone, a_read_only_device_changes_nothing)
{
	const struct fuse_mkdir_in dir = {.mode = 0750};
	const struct fuse_setattr_in set = {.valid = FATTR_MODE, .mode = 0777};
	uint64_t node, fh;

	fs_start(BOOT_DEV_READONLY, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	fs_host_file("f", "x");
	node = fs_node(ROOT, "f");
	cr_expect_eq(fs_ask(FUSE_MKDIR, ROOT, 128, FS_ARG(dir), FS_STR("d"), FS_END).error, -EROFS);
	cr_expect_eq(fs_ask(FUSE_UNLINK, ROOT, 0, FS_STR("f"), FS_END).error, -EROFS);
	cr_expect_eq(fs_ask(FUSE_SETATTR, node, 128, FS_ARG(set), FS_END).error, -EROFS);
	cr_expect_eq(fs_create(ROOT, "g", O_RDWR, 0600, &node, &fh), -EROFS);
	cr_expect_eq(fs_open(FUSE_OPEN, node, O_WRONLY, &fh), -EROFS);
	cr_expect_eq(fs_open(FUSE_OPEN, node, O_RDONLY | O_TRUNC, &fh), -EROFS);
	cr_expect_eq(fs_open(FUSE_OPEN, node, O_RDONLY, &fh), 0);
	cr_expect_str_eq(fs_host_text("f"), "x");
	fs_stop();
}

Test(fs_init, refuses_records_and_writes)
{
	static const struct {
		unsigned int nr_res, nr_queues, cache;
		const char *tag;
	} bad[] = {
		{1, 1, 0, "data"}, {3, 1, 0, "data"},	      {2, 17, 0, "data"},
		{2, 1, 0, ""},	   {2, 1, FS_CACHES, "data"},
	};
	static struct boot_dev rec = {.name = "fs0"};
	static struct device d;
	struct err err;
	uint32_t v = 0;

	cr_assert_eq(device_init(&d, &fs_device, NULL, &err), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fs_settings s = {.cache = (uint8_t)bad[i].cache};

		memcpy(s.tag, bad[i].tag, strlen(bad[i].tag));
		rec.nr_res = bad[i].nr_res;
		rec.nr_queues = bad[i].nr_queues;
		boot_set_settings(&rec, &s, sizeof(s));
		cr_expect_eq(fs_device.init(&d, &rec, &err), -EINVAL, "record %u", i);
	}
	cr_expect_eq(fs_device.config(&d, true, 0, &v, sizeof(v)), -EPERM);
	cr_expect_eq(fs_device.config(&d, false, 0, &v, sizeof(v)), 0);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A guest of the fs device that obeys no rule, and a host that changes the tree under it
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/support/fs_rig.h"

#define ROOT FUSE_ROOT_ID

static uint64_t file_node, file_fh, dir_fh;

static void setup(void)
{
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &file_node, &file_fh), 0);
	cr_assert_eq(fs_write(file_node, file_fh, 0, "hello", 5), 5);
	cr_assert_eq(fs_open(FUSE_OPENDIR, ROOT, O_RDONLY, &dir_fh), 0);
}

/* Whatever happened, it serves */
static void teardown(void)
{
	struct fs_reply r;

	cr_assert_eq(fs_hello(~0ULL).error, 0);
	file_node = fs_node(ROOT, "f");
	cr_assert_eq(fs_open(FUSE_OPEN, file_node, O_RDONLY, &file_fh), 0);
	r = fs_read(FUSE_READ, file_node, file_fh, 0, 100);
	cr_assert(r.error == 0 && r.bytes == 5 && memcmp(r.body, "hello", 5) == 0);
	fs_stop();
}

TestSuite(fs_hostile, .init = setup, .fini = teardown);

/**
 * struct form - A request as it should be
 * @fixed:	Bytes of its arguments of fixed size
 * @names:	Names behind them
 * @opened:	'f': they begin with the number of an open file, 'd': of a directory
 * @answer:	Bytes of its answer, if that is of one size
 */
static const struct form {
	uint32_t opcode;
	uint8_t fixed, names;
	char opened;
	uint16_t answer;
} forms[] = {
	{FUSE_LOOKUP, 0, 1, 0, sizeof(struct fuse_entry_out)},
	{FUSE_GETATTR, sizeof(struct fuse_getattr_in), 0, 0, sizeof(struct fuse_attr_out)},
	{FUSE_SETATTR, sizeof(struct fuse_setattr_in), 0, 0, sizeof(struct fuse_attr_out)},
	{FUSE_SYMLINK, 0, 2, 0, sizeof(struct fuse_entry_out)},
	{FUSE_MKNOD, sizeof(struct fuse_mknod_in), 1, 0, sizeof(struct fuse_entry_out)},
	{FUSE_MKDIR, sizeof(struct fuse_mkdir_in), 1, 0, sizeof(struct fuse_entry_out)},
	{FUSE_UNLINK, 0, 1, 0, 0},
	{FUSE_RMDIR, 0, 1, 0, 0},
	{FUSE_RENAME, sizeof(struct fuse_rename_in), 2, 0, 0},
	{FUSE_RENAME2, sizeof(struct fuse_rename2_in), 2, 0, 0},
	{FUSE_LINK, sizeof(struct fuse_link_in), 1, 0, sizeof(struct fuse_entry_out)},
	{FUSE_OPEN, sizeof(struct fuse_open_in), 0, 0, sizeof(struct fuse_open_out)},
	{FUSE_READ, sizeof(struct fuse_read_in), 0, 'f', 0},
	{FUSE_WRITE, sizeof(struct fuse_write_in), 0, 'f', sizeof(struct fuse_write_out)},
	{FUSE_STATFS, 0, 0, 0, sizeof(struct fuse_statfs_out)},
	{FUSE_RELEASE, sizeof(struct fuse_release_in), 0, 'f', 0},
	{FUSE_FSYNC, sizeof(struct fuse_fsync_in), 0, 'f', 0},
	{FUSE_GETXATTR, sizeof(struct fuse_getxattr_in), 1, 0, 0},
	{FUSE_LISTXATTR, sizeof(struct fuse_getxattr_in), 0, 0, 0},
	{FUSE_REMOVEXATTR, 0, 1, 0, 0},
	{FUSE_FLUSH, sizeof(struct fuse_flush_in), 0, 'f', 0},
	{FUSE_OPENDIR, sizeof(struct fuse_open_in), 0, 0, sizeof(struct fuse_open_out)},
	{FUSE_READDIR, sizeof(struct fuse_read_in), 0, 'd', 0},
	{FUSE_READDIRPLUS, sizeof(struct fuse_read_in), 0, 'd', 0},
	{FUSE_RELEASEDIR, sizeof(struct fuse_release_in), 0, 'd', 0},
	{FUSE_FSYNCDIR, sizeof(struct fuse_fsync_in), 0, 'd', 0},
	{FUSE_CREATE, sizeof(struct fuse_create_in), 1, 0,
	 sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out)},
	{FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in), 0, 'f', 0},
	{FUSE_LSEEK, sizeof(struct fuse_lseek_in), 0, 'f', sizeof(struct fuse_lseek_out)},
	{FUSE_COPY_FILE_RANGE, sizeof(struct fuse_copy_file_range_in), 0, 'f',
	 sizeof(struct fuse_write_out)},
};

/* Asks with arguments of zeros behind @first, @bytes of them, and as many names as the form has */
static struct fs_reply ask(const struct form *f, uint64_t node, uint64_t first, size_t bytes,
			   uint32_t room)
{
	uint8_t args[256] = {0};

	memcpy(args, &first, sizeof(first));
	memcpy(args + bytes, "a\0b", 4);
	return fs_ask(f->opcode, node, room, (const void *)args, bytes + 2 * (size_t)f->names,
		      FS_END);
}

Test(fs_hostile, numbers_of_inodes_are_forged)
{
	static const uint64_t wrong[] = {0,  1ULL << 32 | 1, 1ULL << 63 | 1, 0xffffffff00000001ULL,
					 77, UINT32_MAX,     UINT64_MAX};

	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		for (unsigned int n = 0; n < ARRAY_SIZE(wrong); n++)
			cr_expect_eq(ask(f, wrong[n], file_fh, f->fixed, 4096).error, -ESTALE,
				     "opcode %u, inode %lx", f->opcode, wrong[n]);
	}
}

Test(fs_hostile, numbers_of_open_files_are_forged)
{
	const uint64_t wrong[] = {0,	       file_node + 9, file_fh | 1ULL << 32,
				  dir_fh + 77, UINT64_MAX,    1ULL << 63 | 1};

	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		if (!f->opened)
			continue;
		cr_expect_eq(
			ask(f, ROOT, f->opened == 'f' ? dir_fh : file_fh, f->fixed, 4096).error,
			-EBADF, "opcode %u, one of the other kind", f->opcode);
		for (unsigned int n = 0; n < ARRAY_SIZE(wrong); n++)
			cr_expect_eq(ask(f, ROOT, wrong[n], f->fixed, 4096).error, -EBADF,
				     "opcode %u, file %lx", f->opcode, wrong[n]);
	}
}

Test(fs_hostile, arguments_are_cut)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		struct form bare = *f;

		bare.names = 0;
		if (f->names > 0)
			cr_expect_eq(ask(&bare, ROOT, file_fh, f->fixed, 4096).error, -EINVAL,
				     "opcode %u without a name", f->opcode);
		for (size_t bytes = 0; bytes < f->fixed; bytes += 3)
			cr_expect_eq(ask(&bare, ROOT, file_fh, bytes, 4096).error, -EINVAL,
				     "opcode %u, %zu bytes", f->opcode, bytes);
	}
}

Test(fs_hostile, the_answer_has_no_room)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		const uint64_t first = f->opened == 'd' ? dir_fh : file_fh;

		for (uint32_t room = 0; room < f->answer; room += 1 + f->answer / 3) {
			struct fs_reply r = ask(f, f->opcode == FUSE_OPEN ? file_node : ROOT, first,
						f->fixed, room);

			cr_expect(r.error < 0 && r.bytes == 0, "opcode %u, room %u: %d", f->opcode,
				  room, r.error);
		}
	}
}

Test(fs_hostile, a_name_of_a_mebibyte)
{
	static char name[1 << 20];

	memset(name, 'n', sizeof(name));
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].names > 0 && forms[i].fixed == 0)
			cr_expect_lt(fs_ask(forms[i].opcode, ROOT, 4096, (const void *)name,
					    sizeof(name), FS_END)
					     .error,
				     0);
}

Test(fs_hostile, releases_twice)
{
	cr_expect_eq(fs_release(FUSE_RELEASE, file_node, file_fh), 0);
	cr_expect_eq(fs_release(FUSE_RELEASE, file_node, file_fh), -EBADF);
	cr_expect_eq(fs_release(FUSE_RELEASEDIR, ROOT, dir_fh), 0);
	cr_expect_eq(fs_release(FUSE_RELEASEDIR, ROOT, dir_fh), -EBADF);
}

Test(fs_hostile, offsets_of_a_directory_are_forged)
{
	static const uint64_t offs[] = {1,	    2,		3,	   77,	       1ULL << 31,
					1ULL << 32, 1ULL << 62, INT64_MAX, 1ULL << 63, UINT64_MAX};

	for (unsigned int i = 0; i < ARRAY_SIZE(offs); i++) {
		for (uint32_t room = 0; room < 300; room += 23) {
			struct fs_reply r = fs_read(FUSE_READDIR, ROOT, dir_fh, offs[i], room);

			cr_expect(r.bytes <= room && r.error <= 0);
			r = fs_read(FUSE_READDIRPLUS, ROOT, dir_fh, offs[i], room);
			cr_expect(r.bytes <= room && r.error <= 0);
		}
	}
}

Test(fs_hostile, copies_a_file_onto_itself)
{
	struct fuse_copy_file_range_in in = {.fh_in = file_fh,
					     .fh_out = file_fh,
					     .nodeid_out = file_node,
					     .off_out = 2,
					     .len = 4};
	const uint32_t room = sizeof(struct fuse_write_out);

	cr_expect_eq(fs_ask(FUSE_COPY_FILE_RANGE, file_node, room, FS_ARG(in), FS_END).error,
		     -EINVAL, "the two overlap");
	in.len = UINT64_MAX;
	cr_expect_lt(fs_ask(FUSE_COPY_FILE_RANGE, file_node, room, FS_ARG(in), FS_END).error, 0);
	in.off_in = 1ULL << 63;
	cr_expect_lt(fs_ask(FUSE_COPY_FILE_RANGE, file_node, room, FS_ARG(in), FS_END).error, 0);
	in = (struct fuse_copy_file_range_in){.fh_in = file_fh, .fh_out = dir_fh, .len = 1};
	cr_expect_eq(fs_ask(FUSE_COPY_FILE_RANGE, file_node, room, FS_ARG(in), FS_END).error,
		     -EBADF);
}

Test(fs_hostile, sets_the_size_of_what_is_no_file)
{
	struct fuse_setattr_in in = {.valid = FATTR_SIZE | FATTR_FH, .fh = dir_fh, .size = 1};
	const uint32_t room = sizeof(struct fuse_attr_out);

	cr_assert_eq(mkfifoat(fs_at, "p", 0600), 0);
	cr_expect_eq(fs_ask(FUSE_SETATTR, ROOT, room, FS_ARG(in), FS_END).error, -EBADF);
	in.valid = FATTR_SIZE;
	cr_expect_eq(fs_ask(FUSE_SETATTR, ROOT, room, FS_ARG(in), FS_END).error, -EISDIR);
	cr_expect_eq(fs_ask(FUSE_SETATTR, fs_node(ROOT, "p"), room, FS_ARG(in), FS_END).error,
		     -EINVAL);
}

/* None of them is opened: that would wait for another process, or act on the host's device */
Test(fs_hostile, opens_what_is_no_file)
{
	const struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr_un at = sun;
	const int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool nodes = mknodat(fs_at, "c", S_IFCHR | 0666, 0x103) == 0 &&
			   mknodat(fs_at, "b", S_IFBLK | 0666, 0x700) == 0;
	const char *const names[] = {"p", "s", "c", "b"};
	uint64_t node, fh;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", fs_dir);
	cr_assert(bind(sock, (const struct sockaddr *)&at, sizeof(at)) == 0);
	cr_assert_eq(mkfifoat(fs_at, "p", 0666), 0);
	for (unsigned int i = 0; i < (nodes ? 4 : 2); i++) {
		node = fs_node(ROOT, names[i]);
		for (uint32_t mode = O_RDONLY; mode <= O_RDWR; mode++) {
			cr_expect_eq(fs_open(FUSE_OPEN, node, mode, &fh), -EINVAL, "%s", names[i]);
			cr_expect_eq(fs_create(ROOT, names[i], mode, 0600, &node, &fh), -EINVAL);
		}
		cr_expect_eq(fs_open(FUSE_OPENDIR, fs_node(ROOT, names[i]), O_RDONLY, &fh),
			     -ENOTDIR);
	}
	close(sock);
}

/* ---- several at once ----------------------------------------------------------------------- */

/* Makes a request available, @slot of them apart: those that follow need no answer of it */
static void put(unsigned int slot, uint32_t opcode, uint64_t node, const void *args, size_t bytes)
{
	const uint64_t in_gpa = FS_IN_GPA + slot * 0x200, out_gpa = FS_OUT_GPA + slot * 0x200;
	const struct fuse_in_header in = {.len = (uint32_t)(sizeof(in) + bytes),
					  .opcode = opcode,
					  .unique = 1000 + slot,
					  .nodeid = node};
	const bool silent = opcode == FUSE_FORGET;
	const struct vqd_buf buf[] = {{in_gpa, in.len, false}, {out_gpa, 0x200, true}};
	uint8_t *at = vqd_at(&rig.mem, in_gpa, 0x200);

	memcpy(at, &in, sizeof(in));
	memcpy(at + sizeof(in), args, bytes);
	vqd_add(&rig.ring[1], buf, silent ? 1 : 2);
}

/* Everything is forgotten, released and unmounted while threads work with it, and each request has its answer */
Test(fs_hostile, ends_what_is_in_work)
{
	const struct fuse_fsync_in sync = {.fh = file_fh};
	const struct fuse_release_in release = {.fh = file_fh};
	const struct fuse_forget_in forget = {.nlookup = UINT64_MAX};
	const struct fuse_init_in init = {.major = 7, .minor = 38};
	unsigned int n = 0;

	for (unsigned int i = 0; i < 10; i++)
		put(n++, FUSE_FSYNC, file_node, &sync, sizeof(sync));
	put(n++, FUSE_RELEASE, file_node, &release, sizeof(release));
	put(n++, FUSE_FORGET, file_node, &forget, sizeof(forget));
	put(n++, FUSE_FSYNC, file_node, &sync, sizeof(sync));
	put(n++, FUSE_INIT, 0, &init, sizeof(init));
	put(n++, FUSE_FSYNC, file_node, &sync, sizeof(sync));
	put(n++, FUSE_DESTROY, 0, &init, 0);
	put(n++, FUSE_FSYNC, file_node, &sync, sizeof(sync));
	put(n++, FUSE_INIT, 0, &init, sizeof(init));
	put(n++, FUSE_INIT, 0, &init, sizeof(init));
	dev_rig_kick(&rig, 1);
	for (unsigned int i = 0; i < n; i++)
		(void)dev_rig_take(&rig, 1);
	for (unsigned int i = 0; i < n; i++) {
		const struct fuse_out_header *h = vqd_at(&rig.mem, FS_OUT_GPA + i * 0x200,
							 sizeof(*h));

		cr_expect(i == 11 || h->unique == 1000 + i, "request %u", i);
		cr_expect(i > 9 || h->error == 0, "request %u: %d", i, h->error);
	}
}

/* ---- a host that changes names ------------------------------------------------------------- */

static atomic_bool over;

/* What is d is a directory at one moment and a link out of the tree at the next */
static void *swap(void *arg)
{
	while (!atomic_load(&over))
		if (renameat2(fs_at, "d", fs_at, "link", RENAME_EXCHANGE) < 0)
			break;
	return arg;
}

Test(fs_hostile, a_name_becomes_a_link)
{
	unsigned int links = 0, dirs = 0;
	pthread_t thread;

	cr_assert_eq(mkdirat(fs_at, "d", 0755), 0);
	cr_assert_eq(symlinkat("/etc", fs_at, "link"), 0);
	cr_assert_eq(pthread_create(&thread, NULL, swap, NULL), 0);
	for (unsigned int i = 0; i < 20000 && (links < 100 || dirs < 100); i++) {
		struct fuse_entry_out e;
		uint64_t fh = 0;
		int error;

		e = fs_lookup(ROOT, "d", &error);
		if (error != 0)
			continue;
		if (S_ISLNK(e.attr.mode))
			links++;
		else
			dirs++;
		(void)fs_lookup(e.nodeid, "passwd", &error);
		cr_assert(error == -ENOENT || error == -ENOTDIR, "%d", error);
		error = fs_open(FUSE_OPENDIR, e.nodeid, O_RDONLY, &fh);
		cr_assert_eq(error, S_ISLNK(e.attr.mode) ? -ENOTDIR : 0);
		if (error == 0)
			(void)fs_release(FUSE_RELEASEDIR, e.nodeid, fh);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
}

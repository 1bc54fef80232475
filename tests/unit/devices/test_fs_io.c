/* SPDX-License-Identifier: BSD-3-Clause */
/* Data of open files, where the order of offsets matters. */
#include <criterion/criterion.h>

#include "tests/support/fs_rig.h"

static int write_with(uint64_t node, uint64_t fh, uint64_t off, const char *text, uint32_t flags)
{
	const struct fuse_write_in in = {
		.fh = fh, .offset = off, .size = (uint32_t)strlen(text), .write_flags = flags};
	struct fs_reply r = fs_ask(FUSE_WRITE, node, sizeof(struct fuse_write_out), FS_ARG(in),
				   text, strlen(text), FS_END);

	return r.error ? r.error : (int)((const struct fuse_write_out *)r.body)->size;
}

static void holds(const char *name, const char *wanted)
{
	char got[64] = "";
	const int fd = openat(fs_at, name, O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && read(fd, got, sizeof(got) - 1) >= 0);
	close(fd);
	cr_assert_str_eq(got, wanted);
}

Test(fs_io, append)
{
	uint64_t node = 0, fh = 0;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(0).error, 0);
	cr_assert_eq(fs_create(1, "log", O_RDWR | O_APPEND, 0600, &node, &fh), 0);
	cr_assert_eq(write_with(node, fh, 0, "0123456789", 0), 10);
	/* The guest's idea of the end is old: the host's counts. */
	cr_assert_eq(write_with(node, fh, 3, "end", 0), 3);
	holds("log", "0123456789end");
	/* A page that was written through a mapping has its place. */
	cr_assert_eq(write_with(node, fh, 2, "page", FUSE_WRITE_CACHE), 4);
	holds("log", "01page6789end");
	cr_assert_eq(fs_release(FUSE_RELEASE, node, fh), 0);
	cr_assert_eq(fs_open(FUSE_OPEN, node, O_RDWR | O_APPEND, &fh), 0);
	cr_assert_eq(write_with(node, fh, 0, "PAGE", FUSE_WRITE_CACHE), 4);
	cr_assert_eq(write_with(node, fh, 0, ".", 0), 1);
	holds("log", "PAGEge6789end.");
	fs_stop();
}

static int seek(uint64_t node, uint64_t fh, uint64_t off, uint32_t whence, uint64_t *ret)
{
	const struct fuse_lseek_in in = {.fh = fh, .offset = off, .whence = whence};
	struct fs_reply r = fs_ask(FUSE_LSEEK, node, sizeof(struct fuse_lseek_out), FS_ARG(in),
				   FS_END);

	if (r.error == 0)
		*ret = ((const struct fuse_lseek_out *)r.body)->offset;
	return r.error;
}

Test(fs_io, holes)
{
	uint64_t node = 0, fh = 0, off = 0;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(0).error, 0);
	cr_assert_eq(fs_create(1, "file", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 1 << 20, "data", 4), 4);
	cr_assert_eq(seek(node, fh, 0, SEEK_DATA, &off), 0);
	cr_assert_eq(off, 1 << 20);
	cr_assert_eq(seek(node, fh, 0, SEEK_CUR, &off), -EINVAL);
	fs_stop();
}

/* What the guest holds back is data that the host does not know: the guest's kernel has to answer. */
Test(fs_io, no_holes_with_writeback)
{
	uint64_t node = 0, fh = 0, off = 0;

	fs_settings.flags = FS_WRITEBACK;
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(FUSE_WRITEBACK_CACHE).error, 0);
	cr_assert_eq(fs_create(1, "file", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(seek(node, fh, 0, SEEK_DATA, &off), -ENOSYS);
	cr_assert_eq(seek(node, fh, 0, SEEK_HOLE, &off), -ENOSYS);
	fs_stop();
}

#define READS	   8U
#define READ_BYTES 0x40000U /* each; more than the loop reads while others wait */

/* Makes a read available without ringing: its answer is at read_out() */
static uint64_t read_out(unsigned int i)
{
	return FS_OUT_GPA + i * (READ_BYTES + 0x1000ULL);
}

static void add_read(unsigned int i, uint64_t node, uint64_t fh)
{
	struct {
		struct fuse_in_header h;
		struct fuse_read_in in;
	} ask = {{.len = sizeof(ask), .opcode = FUSE_READ, .unique = i, .nodeid = node},
		 {.fh = fh, .offset = i * READ_BYTES, .size = READ_BYTES}};
	const struct vqd_buf buf[] = {
		{FS_IN_GPA + i * 0x100, sizeof(ask), false},
		{read_out(i), (uint32_t)sizeof(struct fuse_out_header) + READ_BYTES, true}};

	memcpy(vqd_at(&rig.mem, buf[0].gpa, sizeof(ask)), &ask, sizeof(ask));
	vqd_add(&rig.ring[1], buf, 2);
}

Test(fs_io, large_reads_at_once)
{
	uint64_t node, fh = 0;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(0).error, 0);
	cr_assert_eq(fs_create(1, "data", O_RDWR, 0600, &node, &fh), 0);
	for (uint32_t i = 0; i < READS * READ_BYTES / sizeof(i); i += 1024)
		cr_assert_eq(fs_write(node, fh, i * sizeof(i), &i, sizeof(i)), sizeof(i));
	cr_assert_eq(ftruncate(openat(fs_at, "data", O_RDWR | O_CLOEXEC), READS * READ_BYTES), 0);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < READS; i++)
			add_read(i, node, fh);
		dev_rig_kick(&rig, 1);
		for (unsigned int i = 0; i < READS; i++)
			cr_assert_eq(dev_rig_take(&rig, 1),
				     sizeof(struct fuse_out_header) + READ_BYTES);
		for (unsigned int i = 0; i < READS; i++) {
			const struct fuse_out_header *h = vqd_at(&rig.mem, read_out(i),
								 sizeof(*h) + READ_BYTES);
			const uint32_t *word = (const void *)(h + 1);

			cr_assert(h->unique == i && h->error == 0);
			for (uint32_t at = 0; at < READ_BYTES / 4; at++)
				cr_assert_eq(word[at], at % 1024 ? 0 : i * (READ_BYTES / 4) + at);
		}
	}
	fs_stop();
}

Test(fs_io, copies_and_ranges_that_mean_nothing)
{
	struct fuse_fallocate_in space = {.length = 1ULL << 63};
	struct fuse_copy_file_range_in copy = {.len = 2, .off_out = 8, .flags = 1};
	uint64_t node = 0, fh = 0;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(0).error, 0);
	cr_assert_eq(fs_create(1, "f", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(write_with(node, fh, 0, "0123", 0), 4);
	copy.fh_in = copy.fh_out = space.fh = fh;
	copy.nodeid_out = node;
	cr_expect_eq(fs_ask(FUSE_COPY_FILE_RANGE, node, 16, FS_ARG(copy), FS_END).error, -EINVAL);
	copy.flags = 0;
	cr_expect_eq(fs_ask(FUSE_COPY_FILE_RANGE, node, 16, FS_ARG(copy), FS_END).error, 0);
	cr_expect_eq(fs_ask(FUSE_FALLOCATE, node, 0, FS_ARG(space), FS_END).error, -EFBIG);
	space = (struct fuse_fallocate_in){.fh = fh, .offset = 1ULL << 63, .length = 1};
	cr_expect_eq(fs_ask(FUSE_FALLOCATE, node, 0, FS_ARG(space), FS_END).error, -EFBIG);
	fs_stop();
}

Test(fs_io, attributes_that_are_longer_than_their_request)
{
	static const struct {
		uint32_t size;
		int error;
	} rows[] = {{6, -EINVAL}, {65536, -EINVAL}, {65537, -E2BIG}, {UINT32_MAX, -E2BIG}};
	uint64_t node = 0, fh = 0;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(0).error, 0);
	cr_assert_eq(fs_create(1, "f", O_RDWR, 0600, &node, &fh), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct fuse_setxattr_in set = {.size = rows[i].size};

		cr_expect_eq(fs_ask(FUSE_SETXATTR, node, 0, (const void *)&set, (size_t)8,
				    FS_STR("user.colour"), (const void *)"green", (size_t)5, FS_END)
				     .error,
			     rows[i].error, "%u bytes", rows[i].size);
	}
	fs_stop();
}

static int sync_file(uint64_t node, uint64_t fh, uint32_t flags)
{
	const struct fuse_fsync_in in = {.fh = fh, .fsync_flags = flags};

	return fs_ask(FUSE_FSYNC, node, 0, FS_ARG(in), FS_END).error;
}

static int sync_all(uint64_t node)
{
	const struct fuse_syncfs_in in = {0};

	return fs_ask(FUSE_SYNCFS, node, 0, FS_ARG(in), FS_END).error;
}

Test(fs_io, data_reaches_the_disk)
{
	uint64_t node = 0, fh = 0;

	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(0).error, 0);
	cr_assert_eq(fs_create(1, "file", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "data", 4), 4);
	cr_expect_eq(sync_file(node, fh, 0), 0);
	cr_expect_eq(sync_file(node, fh, FUSE_FSYNC_FDATASYNC), 0);
	cr_expect_eq(sync_file(node, fh + 1, FUSE_FSYNC_FDATASYNC), -EBADF);
	cr_expect_eq(sync_all(1), 0);
	cr_expect_eq(sync_all(node), -ENOTDIR);
	fs_stop();
}

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

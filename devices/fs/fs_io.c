/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "devices/fs/fs_attr.h"
#include "devices/fs/fs_cred.h"

#define FS_IO_IOVS  (FS_PAGES_MAX + 4)
#define FS_COPY_MAX (64U << 20) /* bytes of one copy between files */

/* ---- opening ---- */

int fs_io_flags(const struct fs *fs, uint32_t flags)
{
	int f = (int)flags & (O_ACCMODE | O_TRUNC | O_APPEND | O_SYNC | O_DSYNC);

	/* The guest's page cache writes back where it likes, and reads to fill a page. */
	if (fs->flags & FUSE_WRITEBACK_CACHE) {
		f &= ~O_APPEND;
		if ((f & O_ACCMODE) == O_WRONLY)
			f = (f & ~O_ACCMODE) | O_RDWR;
	}
	return f;
}

int fs_io_open_found(const struct fs_found *f, int flags, int *ret_fd)
{
	char path[FS_PATH_BYTES];
	int fd;

	if (!S_ISREG(f->stat.attr.mode))
		return S_ISDIR(f->stat.attr.mode) ? -EISDIR : -EINVAL;
	fd = openat(AT_FDCWD, fs_path(f->fd, path), flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int fs_io_open(struct fs *fs, struct fs_request *r)
{
	const struct fs_found f = {.fd = r->node->fd, .stat.attr.mode = r->node->type};
	const uint32_t flags = FS_ARGS(r, fuse_open_in)->flags;
	int rc = fs_cred_take(fs, r);

	if (rc == 0 && fs->read_only && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC))
		rc = -EROFS;
	return rc < 0 ? rc : fs_io_open_found(&f, fs_io_flags(fs, flags) | fs_patience(r), &r->fd);
}

int fs_io_opendir(struct fs *fs, struct fs_request *r)
{
	char path[FS_PATH_BYTES];
	int rc = fs_cred_take(fs, r);

	if (rc < 0)
		return rc;
	r->fd = openat(AT_FDCWD, fs_path(r->node->fd, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r->fd < 0 ? -errno : 0;
}

/* What the guest may do with its cache of an open file */
static uint32_t fs_io_open_flags(const struct fs *fs, bool quick, bool is_dir)
{
	const uint32_t keep = is_dir ? FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR : FOPEN_KEEP_CACHE;
	uint32_t flags = 0;

	if (fs->cache == FS_CACHE_ALWAYS)
		flags |= keep;
	else if (fs->cache == FS_CACHE_NONE && !is_dir)
		flags |= FOPEN_DIRECT_IO;
	/* A close has nothing to report where writes do not leave the host, and locks do not either. */
	return quick && !is_dir && fs->locks.max == 0 ? flags | FOPEN_NOFLUSH : flags;
}

static int fs_io_opened(struct fs *fs, struct fs_request *r, struct fs_node *n, bool is_dir,
			struct fuse_open_out *out)
{
	const int flags = fs_io_flags(fs, FS_ARGS(r, fuse_open_in)->flags);

	out->fh = fs_file_add(&fs->files, n, TAKE_FD(r->fd), is_dir);
	out->open_flags = fs_io_open_flags(fs, n->quick, is_dir);
	if (!out->fh)
		return -ENFILE;
	fs_file_get(&fs->files, out->fh, is_dir)->appends = flags & O_APPEND;
	return 0;
}

_Static_assert(offsetof(struct fuse_create_in, flags) == offsetof(struct fuse_open_in, flags),
	       "FUSE_OPEN and FUSE_CREATE have them at one place");

int fs_io_open_end(struct fs *fs, struct fs_request *r)
{
	return fs_io_opened(fs, r, r->node, false, FS_OUT(r, fuse_open_out));
}

int fs_io_opendir_end(struct fs *fs, struct fs_request *r)
{
	return fs_io_opened(fs, r, r->node, true, FS_OUT(r, fuse_open_out));
}

int fs_io_create_end(struct fs *fs, struct fs_request *r)
{
	struct fs_io_created {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} *out = FS_OUT(r, fs_io_created);
	int rc = fs_entry(fs, r->node, r->name[0], &r->found, &out->entry);
	struct fs_node *n;

	if (rc < 0)
		return rc;
	n = fs_node_get(&fs->nodes, out->entry.nodeid);
	rc = fs_io_opened(fs, r, n, false, &out->open);
	if (rc < 0)
		fs_node_forget(&fs->nodes, n, 1);
	return rc;
}

int fs_io_release(struct fs *fs, struct fs_request *r)
{
	/* The request itself holds it until it is over. */
	fs_file_drop(&fs->files, r->file);
	return 0;
}

/* ---- data ---- */

/* Reads at an offset; with @now only what the page cache has. libc's preadv2() differs: older ones have none. */
static ssize_t fs_io_get(int fd, const struct iovec *iov, unsigned int nr, uint64_t off, bool now)
{
	if (now)
		return syscall(SYS_preadv2, fd, iov, (unsigned long)nr, off, 0UL, RWF_NOWAIT);
	return preadv(fd, iov, (int)nr, (off_t)off);
}

/* Whether a read that ended at @end is complete there: it is the end of the file */
static bool fs_io_at_end(int fd, uint64_t end)
{
	struct fs_stat s;

	return fs_stat(fd, &s) == 0 && end >= s.attr.size;
}

int fs_io_read(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fuse_read_in *in = FS_ARGS(r, fuse_read_in);
	uint64_t want = in->size < FS_DATA_MAX ? in->size : FS_DATA_MAX;
	struct iovec iov[FS_IO_IOVS];
	uint64_t off = in->offset;
	const bool now = r->wait == FS_WAIT_NOT;

	while (want > 0 && off <= INT64_MAX - FS_DATA_MAX) {
		const unsigned int nr = vq_iov(&r->chain, VQ_WRITABLE, want, iov, FS_IO_IOVS);
		const ssize_t n = fs_io_get(r->file->fd, iov, nr, off, now);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return now && errno == EOPNOTSUPP ? -EAGAIN : -errno;
		/* Less than all is the end of the file, or what the page cache has. */
		if (now && (uint64_t)n < want && !fs_io_at_end(r->file->fd, off + (uint64_t)n))
			return -EAGAIN;
		vq_skip(&r->chain, VQ_WRITABLE, (uint64_t)n);
		r->moved += (uint64_t)n;
		off += (uint64_t)n;
		want -= (uint64_t)n;
		if (n == 0 || now)
			break;
	}
	return 0;
}

/*
 * A page of the guest's cache goes to its own offset, also by a file that the guest has open to append and has mapped;
 * by that fd the host would append the page.
 */
static int fs_io_again(int fd)
{
	char path[FS_PATH_BYTES];

	return openat(AT_FDCWD, fs_path(fd, path), O_WRONLY | O_CLOEXEC);
}

int fs_io_write(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fuse_write_in *in = FS_ARGS(r, fuse_write_in);
	struct fuse_write_out *out = FS_OUT(r, fuse_write_out);
	uint64_t left = in->size, off = in->offset;
	struct iovec iov[FS_IO_IOVS];
	cleanup_fd int own = -1;
	int fd = r->file->fd;

	if (left > vq_left(&r->chain, VQ_READABLE) || left > FS_DATA_MAX || off > INT64_MAX - left)
		return -EINVAL;
	if (r->file->appends && in->write_flags & FUSE_WRITE_CACHE) {
		fd = own = fs_io_again(fd);
		if (fd < 0)
			return -errno;
	}
	while (left > 0) {
		const unsigned int nr = vq_iov(&r->chain, VQ_READABLE, left, iov, FS_IO_IOVS);
		const ssize_t n = pwritev(fd, iov, (int)nr, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 && out->size > 0)
			break; /* the next write says why */
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		vq_skip(&r->chain, VQ_READABLE, (uint64_t)n);
		out->size += (uint32_t)n;
		off += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

/* A network file system reports at close(2) what went wrong with earlier writes. */
int fs_io_flush(struct fs *fs UNUSED, struct fs_request *r)
{
	const int fd = dup(r->file->fd);

	return fd < 0 || close(fd) < 0 ? -errno : 0;
}

int fs_io_fsync(struct fs *fs UNUSED, struct fs_request *r)
{
	const bool data = FS_ARGS(r, fuse_fsync_in)->fsync_flags & FUSE_FSYNC_FDATASYNC;

	return (data ? fdatasync(r->file->fd) : fsync(r->file->fd)) < 0 ? -errno : 0;
}

int fs_io_fallocate(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fuse_fallocate_in *in = FS_ARGS(r, fuse_fallocate_in);

	if (in->offset > INT64_MAX || in->length > INT64_MAX)
		return -EFBIG;
	return fallocate(r->file->fd, (int)in->mode, (off_t)in->offset, (off_t)in->length) < 0
		       ? -errno
		       : 0;
}

/*
 * Only holes and data: what else a guest asks its own kernel answers. A guest that holds writes back does not write them
 * before it asks, so the host would call a hole what is data by now: that guest has no holes.
 */
int fs_io_lseek(struct fs *fs, struct fs_request *r)
{
	const struct fuse_lseek_in *in = FS_ARGS(r, fuse_lseek_in);
	struct fuse_lseek_out *out;
	off_t off;

	if (fs->flags & FUSE_WRITEBACK_CACHE)
		return -ENOSYS;
	if ((in->whence != SEEK_DATA && in->whence != SEEK_HOLE) || in->offset > INT64_MAX)
		return -EINVAL;
	off = lseek(r->file->fd, (off_t)in->offset, (int)in->whence);
	if (off < 0)
		return -errno;
	out = FS_OUT(r, fuse_lseek_out);
	out->offset = (uint64_t)off;
	return 0;
}

int fs_io_copy(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fuse_copy_file_range_in *in = FS_ARGS(r, fuse_copy_file_range_in);
	off_t from = (off_t)in->off_in, to = (off_t)in->off_out;
	struct fuse_write_out *out;
	ssize_t n;

	if (from < 0 || to < 0 || in->len > INT64_MAX || in->flags != 0)
		return -EINVAL;
	/* A piece at a time: no request takes for ever. */
	n = copy_file_range(r->file->fd, &from, r->file2->fd, &to,
			    in->len < FS_COPY_MAX ? (size_t)in->len : FS_COPY_MAX, 0);
	if (n < 0)
		return -errno;
	out = FS_OUT(r, fuse_write_out);
	out->size = (uint32_t)n;
	return 0;
}

int fs_io_syncfs(struct fs *fs UNUSED, struct fs_request *r)
{
	char path[FS_PATH_BYTES];
	cleanup_fd int fd = openat(AT_FDCWD, fs_path(r->node->fd, path),
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || syncfs(fd) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_attr.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "devices/core/fmt.h"
#include "devices/fs/fs_cred.h"
#include "devices/fs/fs_newer.h"

const char *fs_path(int fd, char ret[FS_PATH_BYTES])
{
	fmt_into(ret, FS_PATH_BYTES, "%d", fd);
	return ret;
}

int fs_entry(struct fs *fs, struct fs_node *dir, const char *name, struct fs_found *f,
	     struct fuse_entry_out *ret)
{
	const struct fs_node *n = fs_node_adopt(&fs->nodes, name ? dir : NULL, name, f);

	if (!n)
		return -ENFILE;
	ret->nodeid = fs_node_id(&fs->nodes, n);
	ret->entry_valid = ret->attr_valid = fs->valid_s;
	ret->attr = f->stat.attr;
	if (dir->mnt != n->mnt && n->type == S_IFDIR && fs->flags & FUSE_SUBMOUNTS)
		ret->attr.flags = FUSE_ATTR_SUBMOUNT;
	return 0;
}

int fs_entry_end(struct fs *fs, struct fs_request *r)
{
	return fs_entry(fs, r->node, r->name[0], &r->found, FS_OUT(r, fuse_entry_out));
}

int fs_attr_get(struct fs *fs, struct fs_request *r)
{
	struct fuse_attr_out *out = FS_OUT(r, fuse_attr_out);
	struct fs_stat s = {0};
	int rc = fs_stat(r->node->fd, &s);

	out->attr = s.attr;
	out->attr_valid = fs->valid_s;
	return rc;
}

/* Linux asks in this form for the time of birth. */
int fs_attr_statx(struct fs *fs, struct fs_request *r)
{
	struct fs_statx_out out = {.valid_s = fs->valid_s};
	int rc = fs_stat_whole(r->node->fd, &out.stat);

	if (rc < 0)
		return rc;
	out.stat.mask &= ~FS_STAT_MOUNT;
	out.stat.mnt = 0;
	out.stat.attributes = out.stat.attributes_mask = 0;
	memset(out.stat.spare3, 0, sizeof(out.stat.spare3));
	r->moved = vq_write(&r->chain, &out, sizeof(out));
	return r->moved == sizeof(out) ? 0 : -EINVAL;
}

/* ---- changing them ---- */

static int fs_attr_set_owner(int fd, const struct fuse_setattr_in *in)
{
	const uid_t uid = in->valid & FATTR_UID ? in->uid : UINT32_MAX;
	const gid_t gid = in->valid & FATTR_GID ? in->gid : UINT32_MAX;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int fs_attr_set_size(const struct fs_request *r, const struct fuse_setattr_in *in)
{
	cleanup_fd int fd = -1;
	char path[FS_PATH_BYTES];

	if (in->size > INT64_MAX)
		return -EFBIG;
	if (r->file2)
		return ftruncate(r->file2->fd, (off_t)in->size) < 0 ? -errno : 0;
	if (r->node->type != S_IFREG)
		return r->node->type == S_IFDIR ? -EISDIR : -EINVAL;
	fd = openat(AT_FDCWD, fs_path(r->node->fd, path), O_WRONLY | O_CLOEXEC | fs_patience(r));
	return fd < 0 || ftruncate(fd, (off_t)in->size) < 0 ? -errno : 0;
}

static struct timespec fs_attr_time(uint32_t valid, uint32_t set, uint32_t set_now, uint64_t s,
				    uint32_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)s, .tv_nsec = (long)ns};

	if (!(valid & set))
		ts.tv_nsec = UTIME_OMIT;
	else if (valid & set_now)
		ts.tv_nsec = UTIME_NOW;
	return ts;
}

static int fs_attr_set_times(int fd, const struct fuse_setattr_in *in)
{
	const struct timespec ts[2] = {
		fs_attr_time(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
		fs_attr_time(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec),
	};
	char path[FS_PATH_BYTES];

	return utimensat(AT_FDCWD, fs_path(fd, path), ts, 0) < 0 ? -errno : 0;
}

int fs_attr_set(struct fs *fs, struct fs_request *r)
{
	const struct fuse_setattr_in *in = FS_ARGS(r, fuse_setattr_in);
	const int fd = r->node->fd;
	char path[FS_PATH_BYTES];
	int rc = fs_cred_take(fs, r);

	if (rc == 0 && in->valid & FATTR_MODE &&
	    fchmodat(AT_FDCWD, fs_path(fd, path), in->mode & 07777, 0) < 0)
		rc = -errno;
	if (rc == 0 && in->valid & (FATTR_UID | FATTR_GID))
		rc = fs_attr_set_owner(fd, in);
	if (rc == 0 && in->valid & FATTR_SIZE)
		rc = fs_attr_set_size(r, in);
	if (rc == 0 && in->valid & (FATTR_ATIME | FATTR_MTIME))
		rc = fs_attr_set_times(fd, in);
	return rc < 0 ? rc : fs_attr_get(fs, r);
}

int fs_attr_statfs(struct fs *fs UNUSED, struct fs_request *r)
{
	struct fuse_statfs_out *out = FS_OUT(r, fuse_statfs_out);
	struct statfs s;

	if (fstatfs(r->node->fd, &s) < 0)
		return -errno;
	out->st = (struct fuse_kstatfs){
		.blocks = s.f_blocks,
		.bfree = s.f_bfree,
		.bavail = s.f_bavail,
		.files = s.f_files,
		.ffree = s.f_ffree,
		.bsize = (uint32_t)s.f_bsize,
		.namelen = (uint32_t)s.f_namelen,
		.frsize = (uint32_t)s.f_frsize,
	};
	return 0;
}

/* ---- forgetting them ---- */

int fs_attr_forget(struct fs *fs, struct fs_request *r)
{
	/* The request itself holds it until it is over. */
	fs_node_forget(&fs->nodes, r->node, FS_ARGS(r, fuse_forget_in)->nlookup);
	return 0;
}

int fs_attr_batch_forget(struct fs *fs, struct fs_request *r)
{
	struct fuse_forget_one one;

	for (uint32_t left = FS_ARGS(r, fuse_batch_forget_in)->count;
	     left > 0 && vq_read(&r->chain, &one, sizeof(one)) == sizeof(one); left--) {
		struct fs_node *n = fs_node_get(&fs->nodes, one.nodeid);

		if (n)
			fs_node_forget(&fs->nodes, n, one.nlookup);
	}
	return 0;
}

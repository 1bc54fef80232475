/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_name.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "devices/fs/fs_attr.h"
#include "devices/fs/fs_context.h"
#include "devices/fs/fs_cred.h"
#include "devices/fs/fs_io.h"
#include "devices/fs/fs_xattr.h"

int fs_name_lookup(struct fs *fs UNUSED, struct fs_request *r)
{
	return fs_find(r->node, r->name[0], r->wait, &r->found);
}

int fs_name_readlink(struct fs *fs UNUSED, struct fs_request *r)
{
	char *target = (char *)r->args;
	ssize_t n = readlinkat(r->node->fd, "", target, PATH_MAX);

	if (n < 0)
		return -errno;
	r->moved = vq_write(&r->chain, target, (size_t)n);
	return r->moved == (uint64_t)n ? 0 : -EINVAL;
}

/* ---- making names ---- */

/*
 * The mode of what is made. With access control lists the guest leaves its umask to us: the default list of the
 * directory takes its place, where there is one.
 */
static mode_t fs_name_mode(const struct fs *fs, const struct fs_request *r, uint32_t mode,
			   uint32_t umask)
{
	if (fs->flags & FUSE_DONT_MASK && !fs_xattr_has_default_acl(r->node))
		mode &= ~umask;
	return mode;
}

/* Finds what an operation has made, if it has, and labels it: without its label it is not to be */
static int fs_name_made(struct fs_request *r, int made)
{
	int rc = made < 0 ? -errno : fs_find(r->node, r->name[0], FS_WAIT_SERVER, &r->found);

	if (rc == 0)
		rc = fs_context_set(r, r->found.fd);
	if (rc < 0 && made >= 0 && r->context.name)
		(void)unlinkat(r->node->fd, r->name[0],
			       r->in.opcode == FUSE_MKDIR ? AT_REMOVEDIR : 0);
	return rc;
}

int fs_name_mknod(struct fs *fs, struct fs_request *r)
{
	const struct fuse_mknod_in *in = FS_ARGS(r, fuse_mknod_in);
	int rc = fs_cred_take(fs, r);

	if (rc < 0)
		return rc;
	/* No device nodes but overlayfs' whiteouts: the host would honour them. */
	if (S_ISBLK(in->mode) || (S_ISCHR(in->mode) && in->rdev != 0))
		return -EPERM;
	return fs_name_made(
		r, mknodat(r->node->fd, r->name[0], fs_name_mode(fs, r, in->mode, in->umask), 0));
}

int fs_name_mkdir(struct fs *fs, struct fs_request *r)
{
	const struct fuse_mkdir_in *in = FS_ARGS(r, fuse_mkdir_in);
	int rc = fs_cred_take(fs, r);

	if (rc < 0)
		return rc;
	return fs_name_made(
		r, mkdirat(r->node->fd, r->name[0], fs_name_mode(fs, r, in->mode, in->umask)));
}

int fs_name_symlink(struct fs *fs, struct fs_request *r)
{
	int rc = fs_cred_take(fs, r);

	return rc < 0 ? rc : fs_name_made(r, symlinkat(r->name[1], r->node->fd, r->name[0]));
}

int fs_name_link(struct fs *fs UNUSED, struct fs_request *r)
{
	char path[FS_PATH_BYTES];

	return fs_name_made(r, linkat(AT_FDCWD, fs_path(r->node2->fd, path), r->node->fd,
				      r->name[0], AT_SYMLINK_FOLLOW));
}

/* ---- removing and moving them ---- */

/*
 * A name that has a mount stays, as everywhere else. The kernel says so only for mounts of the namespace that asks, and the
 * share is in none: it would move them, and the host's own.
 */
static int fs_name_holds(const struct fs_node *dir, const char *name)
{
	struct fs_stat s;

	return fs_stat_at(dir->fd, name, true, &s) == 0 && s.mnt != dir->mnt ? -EBUSY : 0;
}

static int fs_name_remove(struct fs_request *r, int flags)
{
	int rc = fs_name_holds(r->node, r->name[0]);

	return rc == 0 && unlinkat(r->node->fd, r->name[0], flags) < 0 ? -errno : rc;
}

int fs_name_unlink(struct fs *fs UNUSED, struct fs_request *r)
{
	return fs_name_remove(r, 0);
}

int fs_name_removed(struct fs *fs, struct fs_request *r)
{
	return r->was[0] ? fs_node_name(&fs->nodes, r->was[0], NULL, NULL) : 0;
}

int fs_name_rmdir(struct fs *fs UNUSED, struct fs_request *r)
{
	return fs_name_remove(r, AT_REMOVEDIR);
}

static int fs_name_move(struct fs_request *r, uint32_t flags)
{
	int rc = fs_name_holds(r->node, r->name[0]);

	if (rc == 0)
		rc = fs_name_holds(r->node2, r->name[1]);
	if (rc == 0 &&
	    syscall(SYS_renameat2, r->node->fd, r->name[0], r->node2->fd, r->name[1], flags) < 0)
		rc = -errno;
	return rc;
}

int fs_name_rename(struct fs *fs UNUSED, struct fs_request *r)
{
	return fs_name_move(r, 0);
}

int fs_name_rename2(struct fs *fs, struct fs_request *r)
{
	int rc = fs_cred_take(fs, r); /* RENAME_WHITEOUT makes an inode */

	return rc < 0 ? rc : fs_name_move(r, FS_ARGS(r, fuse_rename2_in)->flags);
}

/* Without room for a name a node has none: the rename is done. */
int fs_name_renamed(struct fs *fs, struct fs_request *r)
{
	const bool is_2 = r->in.opcode == FUSE_RENAME2;
	const uint32_t flags = is_2 ? FS_ARGS(r, fuse_rename2_in)->flags : 0;
	struct fs_nodes *t = &fs->nodes;

	t->moves++;
	if (r->was[0] == r->was[1])
		return 0;
	if (r->was[1])
		(void)fs_node_name(t, r->was[1], NULL, NULL);
	if (r->was[0])
		(void)fs_node_name(t, r->was[0], r->node2, r->name[1]);
	if (r->was[1] && flags & RENAME_EXCHANGE)
		(void)fs_node_name(t, r->was[1], r->node, r->name[0]);
	return 0;
}

/* ---- making files and opening them ---- */

/* What was made is labelled, and an O_PATH fd of what r->fd has open becomes r->found */
static int fs_name_opened(struct fs_request *r)
{
	char path[FS_PATH_BYTES];
	cleanup_fd int fd = openat(AT_FDCWD, fs_path(r->fd, path), O_PATH | O_CLOEXEC);
	int rc = fd < 0 ? -errno : fs_context_set(r, fd);

	if (rc == 0)
		rc = fs_found_init(fd, r->node, &r->found);
	if (rc == 0)
		(void)TAKE_FD(fd);
	return rc;
}

int fs_name_create(struct fs *fs, struct fs_request *r)
{
	const struct fuse_create_in *in = FS_ARGS(r, fuse_create_in);
	const int flags = fs_io_flags(fs, in->flags);
	int rc = fs_cred_take(fs, r);

	if (rc < 0)
		return rc;
	r->fd = openat(r->node->fd, r->name[0], flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       fs_name_mode(fs, r, in->mode & 07777, in->umask));
	if (r->fd >= 0) {
		rc = fs_name_opened(r);
		if (rc < 0 && r->context.name)
			(void)unlinkat(r->node->fd, r->name[0], 0);
		return rc;
	}
	if (errno != EEXIST || in->flags & O_EXCL)
		return -errno;
	/* It is there already: opened as any file, which a pipe or a device is not. */
	rc = fs_find(r->node, r->name[0], r->wait, &r->found);
	if (rc == 0)
		rc = fs_io_open_found(&r->found, flags | fs_patience(r), &r->fd);
	if (rc < 0) { /* a thread may look again */
		cleanup_close_fd(&r->found.fd);
		r->found.fd = -1;
	}
	return rc;
}

int fs_name_tmpfile(struct fs *fs, struct fs_request *r)
{
	const struct fuse_create_in *in = FS_ARGS(r, fuse_create_in);
	int rc = fs_cred_take(fs, r);

	if (rc < 0)
		return rc;
	r->fd = openat(r->node->fd, ".",
		       (fs_io_flags(fs, in->flags) & ~O_TRUNC) | O_TMPFILE | O_CLOEXEC,
		       fs_name_mode(fs, r, in->mode & 07777, in->umask));
	return r->fd < 0 ? -errno : fs_name_opened(r);
}

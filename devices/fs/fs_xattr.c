/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_xattr.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "devices/fs/fs_attr.h"

bool fs_xattr_has_default_acl(const struct fs_node *dir)
{
	char path[FS_PATH_BYTES];

	return getxattr(fs_path(dir->fd, path), "system.posix_acl_default", NULL, 0) > 0;
}

/* Who changes an access control list, and is not of the file's group, makes it lose that bit. The host would let us keep it. */
static int fs_xattr_kill_sgid(const struct fs_request *r)
{
	struct fs_stat s;
	char path[FS_PATH_BYTES];
	int rc = fs_stat(r->node->fd, &s);

	if (rc < 0 || !(s.attr.mode & S_ISGID))
		return rc;
	return fchmodat(AT_FDCWD, fs_path(r->node->fd, path),
			s.attr.mode & 07777 & ~(mode_t)S_ISGID, 0) < 0
		       ? -errno
		       : 0;
}

int fs_xattr_set(struct fs *fs, struct fs_request *r)
{
	const struct fuse_setxattr_in *in = FS_ARGS(r, fuse_setxattr_in);
	const uint8_t *value = (const uint8_t *)r->name[0] + strlen(r->name[0]) + 1;
	char path[FS_PATH_BYTES];

	if (in->size > FS_VALUE_MAX)
		return -E2BIG;
	if (in->size > (size_t)(r->args + r->args_bytes - value))
		return -EINVAL;
	if (setxattr(fs_path(r->node->fd, path), r->name[0], value, in->size, (int)in->flags) < 0)
		return -errno;
	return fs->flags & FUSE_SETXATTR_EXT && in->setxattr_flags & FUSE_SETXATTR_ACL_KILL_SGID
		       ? fs_xattr_kill_sgid(r)
		       : 0;
}

/* Answers @n bytes of @value, or how many there are when the guest asked for none */
static int fs_xattr_answer(struct fs_request *r, uint32_t size, ssize_t n, const void *value)
{
	struct fuse_getxattr_out *out;

	if (n < 0)
		return -errno;
	if (size == 0) {
		out = FS_OUT(r, fuse_getxattr_out);
		out->size = (uint32_t)n;
		return 0;
	}
	r->moved = vq_write(&r->chain, value, (size_t)n);
	return r->moved == (uint64_t)n ? 0 : -ERANGE;
}

static uint32_t fs_xattr_room(const struct fs_request *r)
{
	const uint32_t size = FS_ARGS(r, fuse_getxattr_in)->size;

	return size < FS_VALUE_MAX ? size : FS_VALUE_MAX;
}

int fs_xattr_get(struct fs *fs UNUSED, struct fs_request *r)
{
	const uint32_t size = fs_xattr_room(r);
	char path[FS_PATH_BYTES], name[FS_NAME_ROOM];

	/* The value takes the place of the arguments. */
	memcpy(name, r->name[0], strlen(r->name[0]) + 1);
	return fs_xattr_answer(r, size, getxattr(fs_path(r->node->fd, path), name, r->args, size),
			       r->args);
}

int fs_xattr_list(struct fs *fs UNUSED, struct fs_request *r)
{
	const uint32_t size = fs_xattr_room(r);
	char path[FS_PATH_BYTES];

	return fs_xattr_answer(
		r, size, listxattr(fs_path(r->node->fd, path), (char *)r->args, size), r->args);
}

int fs_xattr_remove(struct fs *fs UNUSED, struct fs_request *r)
{
	char path[FS_PATH_BYTES];

	return removexattr(fs_path(r->node->fd, path), r->name[0]) < 0 ? -errno : 0;
}

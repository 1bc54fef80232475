/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_request.h"

#include <errno.h>
#include <string.h>

#include "devices/fs/fs_bind.h"
#include "devices/fs/fs_context.h"
#include "devices/fs/fs_lock.h"
#include "devices/fs/fs_ops.h"

/* Reads the arguments: those of fixed size and names; data stays in the chain */
static int fs_request_read(struct fs_request *r)
{
	const bool data = r->op->flags & FS_OP_DATA;
	const uint64_t left = vq_left(&r->chain, VQ_READABLE);
	const size_t max = data && r->op->names == 0 ? r->op->fixed : sizeof(r->args);

	if (left < r->op->fixed || (!data && left > max))
		return -EINVAL;
	r->args_bytes = (uint32_t)vq_read(&r->chain, r->args, max);
	return 0;
}

/* A name is one component of a path: a slash or ".." in it would leave its directory */
static bool fs_request_is_name(const char *name, size_t len)
{
	if (len == 0 || len > NAME_MAX || memchr(name, '/', len))
		return false;
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Finds the names behind the arguments of fixed size. The target of a symlink is a path, and not checked. */
static int fs_request_names(const struct fs *fs, struct fs_request *r)
{
	uint32_t at = r->op->fixed;

	for (unsigned int i = 0; i < r->op->names; i++) {
		const char *name = (const char *)r->args + at;
		const size_t room = r->args_bytes - at;
		const size_t len = strnlen(name, room);

		if (len == room)
			return -EINVAL;
		if (len > NAME_MAX && !(r->in.opcode == FUSE_SYMLINK && i == 1))
			return -ENAMETOOLONG;
		if (!fs_op_takes_path(r->in.opcode, i) && !fs_request_is_name(name, len))
			return -EINVAL;
		r->name[i] = name;
		at += (uint32_t)len + 1;
	}
	return r->op->flags & FS_OP_MAKES ? fs_context_read(fs, r, at) : 0;
}

/* Looks up what the request names by number */
static int fs_request_resolve(struct fs *fs, struct fs_request *r)
{
	const uint16_t flags = r->op->flags;
	uint64_t first = 0, fh = 0;

	if (flags & FS_OP_FIRST)
		return 0;
	r->node = fs_node_get(&fs->nodes, r->in.nodeid);
	if (!r->node)
		return -ESTALE;
	if (r->op->fixed >= sizeof(first))
		memcpy(&first, r->args, sizeof(first));
	if (flags & FS_OP_NODE2) {
		r->node2 = fs_node_get(&fs->nodes, first);
		if (!r->node2)
			return -ESTALE;
	}
	if (flags & (FS_OP_FILE | FS_OP_DIR)) {
		r->file = fs_file_get(&fs->files, first, flags & FS_OP_DIR);
		if (!r->file)
			return -EBADF;
	}
	if (flags & FS_OP_UNNAMES) {
		r->was[0] = fs_bind_find(&fs->nodes, r->node, r->name[0]);
		r->was[1] = r->node2 ? fs_bind_find(&fs->nodes, r->node2, r->name[1]) : NULL;
	}
	if (flags & FS_OP_LOCK)
		return fs_lock_begin(fs, r);
	if (!fs_op_second_file(r, &fh))
		return 0;
	r->file2 = fs_file_get(&fs->files, fh, false);
	return r->file2 ? 0 : -EBADF;
}

/* Checks all that is the same for every operation */
static int fs_request_check(struct fs *fs, struct fs_request *r)
{
	int rc;

	if (!r->op->run)
		return -ENOSYS;
	if (!fs->ready && !(r->op->flags & FS_OP_FIRST))
		return -EIO;
	if (fs->read_only && r->op->flags & FS_OP_CHANGES)
		return -EROFS;
	rc = fs_request_read(r);
	if (rc == 0)
		rc = fs_request_names(fs, r);
	return rc < 0 ? rc : fs_request_resolve(fs, r);
}

bool fs_request_begin(struct fs *fs, struct fs_request *r)
{
	const uint64_t room = sizeof(struct fuse_out_header);

	r->node = r->node2 = r->was[0] = r->was[1] = r->lost = NULL;
	r->file = r->file2 = NULL;
	r->name[0] = r->name[1] = NULL;
	r->tries = 0;
	r->lock = NULL;
	r->mounts = fs->mounts;
	r->context.name = NULL;
	r->out_bytes = 0;
	r->moved = 0;
	r->wait = FS_WAIT_SERVER;
	r->fd = r->found.fd = -1;
	if (vq_read(&r->chain, &r->in, sizeof(r->in)) != sizeof(r->in))
		return false;
	r->op = fs_op_find(fs, r->in.opcode);
	r->nr_head = vq_iov(&r->chain, VQ_WRITABLE, room, r->head, FS_HEAD_IOVS);
	if (!(r->op->flags & FS_OP_SILENT)) {
		size_t got = 0;

		for (unsigned int i = 0; i < r->nr_head; i++)
			got += r->head[i].iov_len;
		if (got != room)
			return false;
		vq_skip(&r->chain, VQ_WRITABLE, room);
	}
	r->rc = fs_request_check(fs, r);
	fs_node_hold(&fs->nodes, r->node);
	fs_node_hold(&fs->nodes, r->node2);
	fs_node_hold(&fs->nodes, r->was[0]);
	fs_node_hold(&fs->nodes, r->was[1]);
	fs_file_hold(r->file);
	fs_file_hold(r->file2);
	return true;
}

static void fs_request_header(struct fs_request *r)
{
	const struct fuse_out_header h = {
		.len = (uint32_t)(sizeof(h) + (r->rc == 0 ? r->moved + r->out_bytes : 0)),
		.error = r->rc,
		.unique = r->in.unique,
	};
	const uint8_t *at = (const uint8_t *)&h;

	for (unsigned int i = 0; i < r->nr_head; i++) {
		memcpy(r->head[i].iov_base, at, r->head[i].iov_len);
		at += r->head[i].iov_len;
	}
}

void fs_request_answer(struct fs *fs, struct fs_request *r)
{
	if (r->rc == 0 && r->op->end && r->mounts != fs->mounts)
		r->rc = -ENOTCONN;
	if (r->rc == 0 && r->op->end)
		r->rc = r->op->end(fs, r);
	fs_lock_end(fs, r);
	cleanup_close_fd(&r->fd);
	cleanup_close_fd(&r->found.fd);
	if (r->rc == 0 && vq_write(&r->chain, r->out, r->out_bytes) != r->out_bytes)
		r->rc = -EINVAL;
	if (!(r->op->flags & FS_OP_SILENT))
		fs_request_header(r);
	fs_file_put(&fs->files, r->file);
	fs_file_put(&fs->files, r->file2);
	fs_node_put(&fs->nodes, r->node);
	fs_node_put(&fs->nodes, r->node2);
	fs_node_put(&fs->nodes, r->was[0]);
	fs_node_put(&fs->nodes, r->was[1]);
	r->op = NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_context.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "devices/fs/fs_attr.h"

/* The attributes of LSMs. Capabilities are given in another way, and by who may. */
static bool fs_context_is_label(const char *name)
{
	return strncmp(name, "security.", 9) == 0 && strcmp(name, "security.capability") != 0;
}

int fs_context_read(const struct fs *fs, struct fs_request *r, uint32_t at)
{
	struct fuse_secctx_header head;
	struct fuse_secctx one;
	const char *name;
	uint32_t left, len;

	if (!(fs->flags & FUSE_SECURITY_CTX))
		return 0;
	if (r->in.opcode == FUSE_TMPFILE) /* its name says nothing */
		at += (uint32_t)strnlen((const char *)r->args + at, r->args_bytes - at) + 1;
	if (at > r->args_bytes || r->args_bytes - at < sizeof(head))
		return -EINVAL;
	memcpy(&head, r->args + at, sizeof(head));
	if (head.size < sizeof(head) || head.size > r->args_bytes - at || head.nr_secctx > 1)
		return -EINVAL;
	if (head.nr_secctx == 0)
		return 0;
	left = head.size - (uint32_t)sizeof(head);
	at += (uint32_t)sizeof(head);
	if (left < sizeof(one))
		return -EINVAL;
	memcpy(&one, r->args + at, sizeof(one));
	left -= (uint32_t)sizeof(one);
	name = (const char *)r->args + at + sizeof(one);
	len = (uint32_t)strnlen(name, left);
	if (len == left || len > NAME_MAX || one.size > left - len - 1 ||
	    !fs_context_is_label(name))
		return -EINVAL;
	r->context = (struct fs_context){name, (const uint8_t *)name + len + 1, one.size};
	return 0;
}

int fs_context_set(const struct fs_request *r, int fd)
{
	const struct fs_context *c = &r->context;
	char path[FS_PATH_BYTES];

	return c->name && setxattr(fs_path(fd, path), c->name, c->value, c->bytes, 0) < 0 ? -errno
											  : 0;
}

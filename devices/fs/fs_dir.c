/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Reading directories
 *
 * The guest says with each request where to continue, so a directory needs no state of ours: entries for
 * which the answer had no room are read again.
 *
 * A request's @args hold what is at work: the host's entries in the first part, and for READDIRPLUS the answer
 * in the second. Until the loop counts the lookups, an entry there carries what was found in fields that the
 * guest gets later (struct fs_dir_found).
 */
#include "devices/fs/fs_dir.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "devices/fs/fs_attr.h"

#define FS_DIR_HOST_BYTES 16384U
#define FS_DIR_PLUS_BYTES (FS_VALUE_MAX - FS_DIR_HOST_BYTES)

/* linux_dirent64, which no header has */
struct fs_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/**
 * struct fs_dir_found - What was found, in the place of a struct fuse_entry_out's first fields
 * @is:		FS_DIR_*
 */
struct fs_dir_found {
	uint64_t is;
	uint64_t mnt, birth;
	uint32_t dev_major, dev_minor;
};

#define FS_DIR_FOUND 1U
#define FS_DIR_QUICK 2U
#define FS_DIR_BORN  4U

_Static_assert(sizeof(struct fs_dir_found) <= offsetof(struct fuse_entry_out, attr), "found");

/* The host's next entries, no more than fit into @room of the answer for sure or nearly so; how many bytes */
static ssize_t fs_dir_host(struct fs_request *r, uint64_t off, uint64_t room)
{
	const size_t ask = room < FS_DIR_HOST_BYTES ? (size_t)room : FS_DIR_HOST_BYTES;
	ssize_t n;

	if (off > INT64_MAX || lseek(r->file->fd, (off_t)off, SEEK_SET) < 0)
		return off > INT64_MAX ? -EINVAL : -errno;
	n = syscall(SYS_getdents64, r->file->fd, r->args, ask);
	return n < 0 ? -errno : n;
}

static const struct fs_dirent *fs_dir_at(const struct fs_request *r, ssize_t at)
{
	return (const struct fs_dirent *)(const void *)(r->args + at);
}

static uint64_t fs_dir_room(const struct fs_request *r, const struct fuse_read_in *in)
{
	const uint64_t left = vq_left(&r->chain, VQ_WRITABLE);

	return in->size < left ? in->size : left;
}

static void fs_dir_entry(const struct fs_dirent *e, size_t len, struct fuse_dirent *ret)
{
	*ret = (struct fuse_dirent){
		.ino = e->ino, .off = (uint64_t)e->off, .namelen = (uint32_t)len, .type = e->type};
}

int fs_dir_read(struct fs *fs UNUSED, struct fs_request *r)
{
	static const uint8_t zeros[FUSE_DIRENT_ALIGN(1)];
	const struct fuse_read_in in = *FS_ARGS(r, fuse_read_in);
	const uint64_t room = fs_dir_room(r, &in);
	ssize_t n = fs_dir_host(r, in.offset, room);

	for (ssize_t at = 0; at < n; at += fs_dir_at(r, at)->bytes) {
		const struct fs_dirent *e = fs_dir_at(r, at);
		const size_t len = strlen(e->name), bytes = FUSE_NAME_OFFSET + len;
		struct fuse_dirent d;

		if (FUSE_DIRENT_ALIGN(bytes) > room - r->moved)
			return r->moved > 0 ? 0 : -EINVAL;
		fs_dir_entry(e, len, &d);
		r->moved += vq_write(&r->chain, &d, FUSE_NAME_OFFSET);
		r->moved += vq_write(&r->chain, e->name, len);
		r->moved += vq_write(&r->chain, zeros, FUSE_DIRENT_ALIGN(bytes) - bytes);
	}
	return n < 0 ? (int)n : 0;
}

/* Looks an entry up; one that cannot be is only a name */
static void fs_dir_find(const struct fs_request *r, const struct fs_dirent *e,
			struct fuse_direntplus *ret)
{
	struct fs_dir_found *found = (struct fs_dir_found *)(void *)&ret->entry_out;
	struct fs_found f;

	found->is = 0;
	if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0 ||
	    fs_find_listed(r->file->node, r->file->fd, e->name, &f) < 0)
		return;
	*found = (struct fs_dir_found){
		.is = FS_DIR_FOUND | (f.quick ? FS_DIR_QUICK : 0) | (f.born ? FS_DIR_BORN : 0),
		.mnt = f.stat.mnt,
		.birth = f.stat.birth,
		.dev_major = f.stat.dev_major,
		.dev_minor = f.stat.dev_minor,
	};
	ret->entry_out.attr = f.stat.attr;
}

int fs_dir_read_plus(struct fs *fs UNUSED, struct fs_request *r)
{
	const struct fuse_read_in in = *FS_ARGS(r, fuse_read_in);
	const uint64_t left = fs_dir_room(r, &in);
	const uint64_t room = left < FS_DIR_PLUS_BYTES ? left : FS_DIR_PLUS_BYTES;
	/* An entry takes about five times as much as the host's. */
	ssize_t n = fs_dir_host(r, in.offset, room < 2048 ? room : room / 4);
	uint8_t *to = r->args + FS_DIR_HOST_BYTES;

	for (ssize_t at = 0; at < n; at += fs_dir_at(r, at)->bytes) {
		const struct fs_dirent *e = fs_dir_at(r, at);
		const size_t len = strlen(e->name);
		const size_t bytes = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + len);
		struct fuse_direntplus *d = (struct fuse_direntplus *)(void *)(to + r->moved);

		if (bytes > room - r->moved)
			return r->moved > 0 ? 0 : -EINVAL;
		memset(d, 0, bytes);
		fs_dir_find(r, e, d);
		fs_dir_entry(e, len, &d->dirent);
		memcpy(d->dirent.name, e->name, len);
		r->moved += bytes;
	}
	return n < 0 ? (int)n : 0;
}

/* Counts the lookup of one entry, or makes it only a name */
static void fs_dir_count(struct fs *fs, const struct fs_request *r, struct fuse_direntplus *d)
{
	struct fs_dir_found found;
	struct fuse_entry_out entry = {0};
	char name[FS_NAME_ROOM] = {0};
	struct fs_found f;

	memcpy(&found, &d->entry_out, sizeof(found));
	f = (struct fs_found){
		.fd = -1,
		.quick = found.is & FS_DIR_QUICK,
		.born = found.is & FS_DIR_BORN,
		.stat = {.mnt = found.mnt,
			 .birth = found.birth,
			 .dev_major = found.dev_major,
			 .dev_minor = found.dev_minor,
			 .attr = d->entry_out.attr},
	};
	memcpy(name, d->dirent.name, d->dirent.namelen);
	/* Without one, or room in the table, it is only a name. */
	if (!found.is || fs_entry(fs, r->file->node, name, &f, &entry) < 0)
		entry = (struct fuse_entry_out){0};
	d->entry_out = entry;
}

int fs_dir_read_plus_end(struct fs *fs, struct fs_request *r)
{
	uint8_t *from = r->args + FS_DIR_HOST_BYTES;
	uint64_t at = 0;

	while (at < r->moved) {
		struct fuse_direntplus *d = (struct fuse_direntplus *)(void *)(from + at);

		fs_dir_count(fs, r, d);
		at += FUSE_DIRENTPLUS_SIZE(d);
	}
	return vq_write(&r->chain, from, r->moved) == r->moved ? 0 : -EIO;
}

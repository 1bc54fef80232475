/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"
#include "devices/core/qcow2_head.h"
#include "runtime/host/disk.h"
#include "runtime/util/file.h"

#define cleanup_backing __attribute__((cleanup(backing_done)))

static int backing_fail(const struct plan_fd *f, const char *name, int errnum, const char *text,
			struct err *err)
{
	return err_text(err, errnum, "%s: %s: its backing file %s %s", f->pointer, f->path, name,
			text);
}

/* How much of an image's path is its directory, with the slash behind it */
static size_t backing_dir_bytes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash + 1 - path) : 0;
}

/* The part of an absolute name that is behind a directory, which ends in a slash; NULL when it is not below that */
static const char *backing_below(const char *name, const char *dir, size_t dir_bytes)
{
	if (dir_bytes == 0 || strncmp(name, dir, dir_bytes) != 0)
		return NULL;
	name += dir_bytes;
	while (*name == '/')
		name++;
	return name;
}

/* An absolute name may begin with the directory as the image's path has it, or as the kernel calls it. */
static const char *backing_relative(const struct plan_fd *f, int dir, const char *name)
{
	char self[32], real[PATH_MAX + 1];
	const char *rest;
	ssize_t len;

	if (*name != '/')
		return name;
	rest = backing_below(name, f->path, backing_dir_bytes(f->path));
	if (rest)
		return rest;
	fmt_into(self, sizeof(self), "/proc/self/fd/%d", dir);
	len = readlink(self, real, PATH_MAX);
	if (len <= 0)
		return NULL;
	if (real[len - 1] != '/')
		real[len++] = '/';
	return backing_below(name, real, (size_t)len);
}

static int backing_open_dir(const struct plan_fd *f, struct err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	fmt_into(path, sizeof(path), "%.*s.", (int)backing_dir_bytes(f->path), f->path);
	fd = file_look(AT_FDCWD, path, O_DIRECTORY, &st);
	return fd < 0 ? err_set(err, -fd, "%s: %s", f->pointer, path) : fd;
}

/* Finds the file without opening it.  Syscalls: openat openat2 fstat readlink close */
static int backing_look(const struct plan_fd *f, const char *name, struct stat *ret_st,
			struct err *err)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	cleanup_fd int dir = backing_open_dir(f, err), fd = -1;
	const char *below;

	if (dir < 0)
		return dir;
	below = backing_relative(f, dir, name);
	if (!below || !*below)
		return backing_fail(f, name, EXDEV, "is not in the image's directory or below it",
				    err);
	fd = (int)syscall(SYS_openat2, dir, below, &how, sizeof(how));
	if (fd < 0 && errno == EXDEV)
		return backing_fail(f, name, EXDEV, "is not in the image's directory or below it",
				    err);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return err_set(err, errno, "%s: %s: its backing file %s", f->pointer, f->path,
			       name);
	if (!S_ISREG(ret_st->st_mode))
		return backing_fail(f, name, EINVAL, "is not a regular file", err);
	return TAKE_FD(fd);
}

/* Its entry, as if the user had named it */
static int backing_describe(const struct plan_fd *f, const struct qcow2_head *h,
			    struct plan_fd *ret, struct err *err)
{
	const size_t dir = h->backing[0] == '/' ? 0 : backing_dir_bytes(f->path);
	const size_t bytes = dir + strlen(h->backing) + 1;

	*ret = (struct plan_fd){.source = PLAN_FD_FILE, .file = PLAN_FILE_DISK};
	if (!h->backing_format[0])
		return backing_fail(f, h->backing, EINVAL,
				    "has no format in the image: say it with qemu-img rebase -u -F",
				    err);
	if (disk_format_parse(h->backing_format, &ret->format) < 0)
		return backing_fail(f, h->backing, EINVAL, "is neither raw nor qcow2", err);
	ret->path = malloc(bytes);
	ret->pointer = strdup(f->pointer);
	if (!ret->path || !ret->pointer)
		return err_set(err, ENOMEM, "memory for a backing file's name");
	fmt_into(ret->path, bytes, "%.*s%s", (int)dir, f->path, h->backing);
	return 0;
}

static bool backing_same_file(int fd, const struct stat *st)
{
	struct stat other;

	return fstat(fd, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* A file is in its chain once. */
static int backing_check_loop(const struct backing *b, const struct plan_fd *next, int image,
			      const struct stat *st, struct err *err)
{
	bool twice = backing_same_file(image, st);

	for (unsigned int i = 0; i + 1 < b->nr; i++)
		twice |= backing_same_file(b->fd[i], st);
	return twice ? err_text(err, ELOOP, "%s: %s: is in its own chain of backing files",
				next->pointer, next->path)
		     : 0;
}

/* Opens the file below @f, whose head is @h, as the next one of @b, a chain below @image */
static int backing_add(struct backing *b, int image, const struct plan_fd *f,
		       const struct qcow2_head *h, struct err *err)
{
	struct plan_fd *next = &b->file[b->nr];
	cleanup_fd int path = -1;
	struct disk disk;
	struct stat st;
	int rc, fd;

	if (b->nr == BACKING_MAX)
		return err_text(err, EINVAL, "%s: %s: more than %d backing files in one chain",
				f->pointer, f->path, BACKING_MAX);
	b->fd[b->nr++] = -1;
	rc = backing_describe(f, h, next, err);
	if (rc < 0)
		return rc;
	path = backing_look(f, h->backing, &st, err);
	if (path < 0)
		return path;
	rc = backing_check_loop(b, next, image, &st, err);
	if (rc < 0)
		return rc;
	fd = file_reopen(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, -fd, "%s: %s", next->pointer, next->path);
	b->fd[b->nr - 1] = fd;
	if (fcntl(fd, F_SETFL, 0))
		return err_set(err, errno, "%s: %s", next->pointer, next->path);
	return disk_check(next, fd, &st, &disk, err);
}

int backing_open(const struct plan_fd *f, int fd, struct backing *ret, struct err *err)
{
	cleanup_backing struct backing b = {.nr = 0};
	struct qcow2_head head;
	int rc = disk_read_head(f, fd, &head, err);

	while (rc == 0 && head.backing[0]) {
		const struct plan_fd *last = b.nr ? &b.file[b.nr - 1] : f;

		rc = backing_add(&b, fd, last, &head, err);
		head.backing[0] = '\0';
		if (rc == 0 && b.file[b.nr - 1].format == DISK_QCOW2)
			rc = disk_read_head(&b.file[b.nr - 1], b.fd[b.nr - 1], &head, err);
	}
	if (rc < 0)
		return rc;
	*ret = b;
	b.nr = 0;
	return 0;
}

uint32_t backing_qcow2_bits(const struct backing *b)
{
	uint32_t bits = 1;

	for (unsigned int i = 0; i < b->nr; i++)
		bits |= b->file[i].format == DISK_QCOW2 ? 2U << i : 0;
	return bits;
}

void backing_done(struct backing *b)
{
	for (unsigned int i = 0; i < b->nr; i++) {
		cleanup_close_fd(&b->fd[i]);
		free(b->file[i].path);
		free(b->file[i].pointer);
	}
	b->nr = 0;
}

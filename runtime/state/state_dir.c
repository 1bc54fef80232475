/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: ROOT and ROOT/ID: made, opened, locked, removed
 *
 * vmrun kills processes and removes directories as a state directory says, so a user who can write there commands
 * the caller. Therefore each directory and file is judged here, by owner and mode, on the fd that is then used; no
 * path is looked up twice. A symbolic link may lead to ROOT, because what it leads to is judged as well; below
 * ROOT none is followed.
 */
#include "runtime/state/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/state/state.h"
#include "runtime/util/file.h"
#include "runtime/util/json.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

/* The annotations of the largest config.json, each "/" escaped and each on a line of its own, and the rest */
#define FILE_BYTES_MAX (4 * JSON_TEXT_MAX + (512 << 10))

/* ---- whose it is ---- */

static int state_judge(const struct stat *st, bool owned, bool safe, const char *path,
		       struct err *err)
{
	if (!owned)
		return err_text(err, EPERM,
				"state directory %s belongs to uid %u, and you are uid %u: be that "
				"user, or name another directory with --root",
				path, st->st_uid, geteuid());
	if (!safe)
		return err_text(err, EACCES,
				"others can write to state directory %s: chmod go-w it, or name "
				"another directory with --root",
				path);
	return 0;
}

/* Root commands all users anyway; the sticky bit keeps each user's entries safe from others. */
static int state_judge_root(const struct stat *st, const char *path, struct err *err)
{
	return state_judge(st, st->st_uid == geteuid() || st->st_uid == 0,
			   !(st->st_mode & OTHERS_WRITE) || (st->st_mode & S_ISVTX), path, err);
}

static int state_judge_vm(const struct stat *st, const char *path, struct err *err)
{
	return state_judge(st, st->st_uid == geteuid(), !(st->st_mode & OTHERS_WRITE), path, err);
}

static int state_judge_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	return st->st_uid != geteuid() || (st->st_mode & OTHERS_WRITE) ? -EPERM : 0;
}

/* A file of the VM's directory, for reading or locking. Only its owner can replace it between the two checks, so this
 * does not need /proc: delete must work where that is not mounted. */
static int state_dir_open_file(int dir, const char *name, int flags, struct stat *ret_st)
{
	cleanup_fd int fd = -1;
	struct stat st;
	int rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	rc = state_judge_file(&st);
	if (rc < 0)
		return rc;
	fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	rc = state_judge_file(&st);
	if (rc < 0)
		return rc;
	*ret_st = st;
	return TAKE_FD(fd);
}

/* ---- ROOT ---- */

int state_default_root(bool own_ids, char *ret, size_t size, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR"), *user = getenv("USER");
	const bool any = dir && *dir;

	/* As in runc: root of a user namespace keeps the directory of the user. */
	if (geteuid() == 0 && (!own_ids || !any || (user && strcmp(user, "root") == 0)))
		fmt_into(ret, size, "/run/vmrun");
	else if (!any)
		return err_text(err, ENOENT, "XDG_RUNTIME_DIR is not set: give --root DIR");
	else
		fmt_into(ret, size, "%s/vmrun", dir);
	return 0;
}

int state_make_root(const char *root, struct err *err)
{
	char path[PATH_MAX];

	if (mkdir(root, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || strlen(root) >= sizeof(path))
		return err_set(err, errno, "state directory %s", root);
	strcpy(path, root);
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(path, 0711) < 0 && errno != EEXIST)
			return err_set(err, errno, "state directory %s", path);
		*at = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "state directory %s", root);
	return 0;
}

int state_root(const char *root, int *ret_base, struct err *err)
{
	struct stat st;
	cleanup_fd int fd = file_look(AT_FDCWD, root, O_DIRECTORY, &st);
	int rc;

	if (fd < 0)
		return err_set(err, -fd, "state directory %s", root);
	rc = state_judge_root(&st, root, err);
	if (rc < 0)
		return rc;
	*ret_base = TAKE_FD(fd);
	return 0;
}

/* ---- the lock ---- */

/* Readers only ask about the lock, so they disturb neither each other nor delete. */
static struct flock state_dir_whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int state_dir_lock_fd(int fd)
{
	struct flock lock = state_dir_whole_file();

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

/* The directory belongs to the process whose lock file is in it: a delete may have removed the file meanwhile, and
 * another create made a new one. */
static int state_dir_lock_of(int dir, int fd)
{
	struct stat ours, there;
	const int rc = state_dir_lock_fd(fd);

	if (rc < 0)
		return rc;
	if (fstat(fd, &ours) < 0 || fstatat(dir, STATE_LOCK, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return ours.st_ino == there.st_ino ? 0 : -ENOENT;
}

/* ---- ROOT/ID ---- */

static int state_dir_open_vm(int base, const char *root, const char *id, int *ret_dir,
			     struct err *err)
{
	struct stat st;
	cleanup_fd int dir = file_look(base, id, O_DIRECTORY | O_NOFOLLOW, &st);
	char path[PATH_MAX + STATE_ID_MAX + 2];
	int rc;

	if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP)
		return err_text(err, ENOENT, "container does not exist");
	if (dir < 0)
		return err_set(err, -dir, "state directory %s/%s", root, id);
	fmt_into(path, sizeof(path), "%s/%s", root, id);
	rc = state_judge_vm(&st, path, err);
	if (rc < 0)
		return rc;
	*ret_dir = TAKE_FD(dir);
	return 0;
}

int state_open(const char *root, const char *id, int *ret_dir, struct err *err)
{
	cleanup_fd int base = -1;
	int rc = state_check_id(id, err);

	if (rc == 0)
		rc = state_root(root, &base, err);
	if (rc == -ENOENT)
		return err_text(err, ENOENT, "container does not exist");
	return rc < 0 ? rc : state_dir_open_vm(base, root, id, ret_dir, err);
}

static int state_dir_taken(const char *id, struct err *err)
{
	return err_text(err, EEXIST, "container with given ID already exists: %s", id);
}

int state_check_unused(const char *root, const char *id, struct err *err)
{
	cleanup_fd int dir = -1;
	const int rc = state_open(root, id, &dir, err);

	if (rc == 0)
		return state_dir_taken(id, err);
	return rc == -ENOENT ? 0 : rc;
}

static int state_dir_gone(const char *id, struct err *err)
{
	return err_text(err, EINTR, "container %s was deleted while it was created", id);
}

static int state_dir_lock_new(int dir, const char *id, int *ret_lock, struct err *err)
{
	cleanup_fd int fd = openat(dir, STATE_LOCK, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : state_dir_lock_of(dir, fd);

	if (rc == -EEXIST)
		return state_dir_taken(id, err);
	if (rc == -ENOENT || rc == -EBUSY)
		return state_dir_gone(id, err);
	if (rc < 0)
		return err_set(err, -rc, "lock of %s", id);
	*ret_lock = TAKE_FD(fd);
	return 0;
}

int state_reserve(const char *root, const char *id, int *ret_dir, int *ret_lock, struct err *err)
{
	cleanup_fd int base = -1, dir = -1;
	int rc = state_make_root(root, err);

	if (rc == 0)
		rc = state_root(root, &base, err);
	if (rc < 0)
		return rc;
	if (mkdirat(base, id, 0700) < 0) {
		if (errno == EEXIST)
			return state_dir_taken(id, err);
		return err_set(err, errno, "state directory %s/%s", root, id);
	}
	rc = state_dir_open_vm(base, root, id, &dir, err);
	if (rc == -ENOENT)
		return state_dir_gone(id, err);
	if (rc < 0)
		return rc;
	rc = state_dir_lock_new(dir, id, ret_lock, err);
	if (rc < 0) {
		/* If it is empty no create has it, and otherwise another one does. */
		(void)!state_remove_empty(id, dir);
		return rc;
	}
	*ret_dir = TAKE_FD(dir);
	return 0;
}

int state_remove_empty(const char *id, int dir)
{
	cleanup_fd int base = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat ours, there;

	if (base < 0 || fstat(dir, &ours) < 0)
		return -errno;
	/* Another VM of this name may be in its place now. */
	if (fstatat(base, id, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (there.st_ino != ours.st_ino || there.st_dev != ours.st_dev)
		return 0;
	return unlinkat(base, id, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* All that begins with this name: programs of the host make some of them. */
static int state_dir_remove_sockets(int dir)
{
	cleanup_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int rc = 0;

	if (!d)
		return -errno;
	(void)TAKE_FD(fd);
	while (rc == 0 && (e = readdir(d)))
		if (strncmp(e->d_name, STATE_VSOCK, strlen(STATE_VSOCK)) == 0 &&
		    unlinkat(dir, e->d_name, 0) < 0 && errno != ENOENT)
			rc = -errno;
	closedir(d);
	return rc;
}

int state_remove(const char *root, const char *id, int dir, struct err *err)
{
	/* The lock file goes last, so that until then others see that the directory is vmrun's. */
	static const char *const files[] = {STATE_CONTROL, STATE_FILE,		STATE_FILE ".new",
					    STATE_CONFIG,  STATE_CONFIG ".new", STATE_LOCK};
	int rc = state_dir_remove_sockets(dir);

	if (rc < 0)
		return err_set(err, -rc, "remove the sockets in %s/%s", root, id);
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		/* Remove whatever has the name of one of these files, also an empty directory. */
		if (unlinkat(dir, files[i], 0) == 0 || errno == ENOENT ||
		    (errno == EISDIR && unlinkat(dir, files[i], AT_REMOVEDIR) == 0))
			continue;
		return err_set(err, errno, "remove %s/%s/%s", root, id, files[i]);
	}
	rc = state_remove_empty(id, dir);
	return rc < 0 ? err_set(err, -rc, "remove %s/%s", root, id) : 0;
}

/* ---- its files ---- */

int state_lock(int dir, int *ret_lock)
{
	struct stat st;
	cleanup_fd int fd = state_dir_open_file(dir, STATE_LOCK, O_RDWR, &st);
	const int rc = fd < 0 ? fd : state_dir_lock_of(dir, fd);

	if (rc == 0)
		*ret_lock = TAKE_FD(fd);
	return rc;
}

int state_locked(int dir)
{
	struct flock lock = state_dir_whole_file();
	struct stat st;
	cleanup_fd int fd = state_dir_open_file(dir, STATE_LOCK, O_RDONLY, &st);

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

int state_read_text(int dir, const char *name, char **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	struct stat st;
	cleanup_fd int fd = state_dir_open_file(dir, name, O_RDONLY, &st);
	int rc;

	if (fd == -EINVAL)
		return err_text(err, EINVAL, "%s: no regular file", name);
	if (fd == -EPERM)
		return err_text(err, EPERM,
				"%s: belongs to another user, or others can write to it", name);
	if (fd < 0)
		return err_set(err, -fd, "%s", name);
	if (st.st_size > FILE_BYTES_MAX)
		return err_text(err, EFBIG, "%s: larger than %u bytes", name, FILE_BYTES_MAX);
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		return err_set(err, ENOMEM, "%s", name);
	rc = st.st_size ? fd_read_full(fd, text, (size_t)st.st_size) : 0;
	if (rc < 0)
		return err_set(err, -rc, "%s", name);
	*ret = TAKE_PTR(text);
	return 0;
}

int state_save_text(int dir, const char *name, const char *text, struct err *err)
{
	cleanup_fd int fd = -1;
	char temp[64];
	int rc;

	fmt_into(temp, sizeof(temp), "%s.new", name);
	(void)unlinkat(dir, temp, 0);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "state directory: %s", name);
	rc = fd_write_full(fd, text, strlen(text));
	if (rc == 0 && renameat(dir, temp, dir, name) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlinkat(dir, temp, 0);
		return err_set(err, -rc, "state directory: %s", name);
	}
	return 0;
}

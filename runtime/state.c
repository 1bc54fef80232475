/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/cause.h"
#include "runtime/json.h"

/* The annotations of the largest config.json, each "/" escaped and each on a line of its own, and the rest */
#define FILE_BYTES_MAX (4 * JSON_TEXT_MAX + (512 << 10))

int state_check_id(const char *id, struct err *err)
{
	static const char legal[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";
	const size_t len = strlen(id);

	if (len == 0)
		return err_text(err, EINVAL, "container id cannot be empty");
	if (len > STATE_ID_MAX)
		return err_text(err, EINVAL, "invalid container id: longer than %d characters",
				STATE_ID_MAX);
	if (strspn(id, legal) != len || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return err_text(
			err, EINVAL,
			"invalid container id '%s': only letters, digits and _+.- may be in it",
			id);
	return 0;
}

int state_default_root(char *ret, size_t size, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		fmt_into(ret, size, "/run/vmrun");
	else if (!dir || !*dir)
		return err_text(err, ENOENT, "XDG_RUNTIME_DIR is not set: give --root DIR");
	else
		fmt_into(ret, size, "%s/vmrun", dir);
	return 0;
}

static int make_root(const char *root, struct err *err)
{
	char path[PLAN_PATH_MAX];
	char *at;

	if (mkdir(root, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || strlen(root) >= sizeof(path))
		return err_set(err, errno, "state directory %s", root);
	strcpy(path, root);
	for (at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(path, 0711) < 0 && errno != EEXIST)
			return err_set(err, errno, "state directory %s", path);
		*at = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "state directory %s", root);
	return 0;
}

static int open_root(const char *root)
{
	int fd = open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int lock_at(int dir, int flags)
{
	cleanup_fd int lock = openat(dir, STATE_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags,
				     0600);

	if (lock < 0)
		return -errno;
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return TAKE_FD(lock);
}

static int taken(const char *id, struct err *err)
{
	return err_text(err, EEXIST, "container with given ID already exists: %s", id);
}

int state_check_free(const char *root, const char *id, struct err *err)
{
	cleanup_fd int dir = -1;
	struct err ignored;

	return state_open(root, id, &dir, &ignored) == 0 ? taken(id, err) : 0;
}

int state_reserve(const char *root, const char *id, int *ret_dir, int *ret_lock, struct err *err)
{
	cleanup_fd int base = -1, dir = -1, lock = -1;
	int r = make_root(root, err);

	if (r < 0)
		return r;
	base = open_root(root);
	if (base < 0)
		return err_set(err, -base, "state directory %s", root);
	if (mkdirat(base, id, 0700) < 0) {
		if (errno == EEXIST)
			return taken(id, err);
		return err_set(err, errno, "state directory %s/%s", root, id);
	}
	dir = openat(base, id, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	r = dir < 0 ? -errno : lock_at(dir, O_CREAT | O_EXCL);
	if (r < 0) {
		(void)unlinkat(dir, STATE_LOCK, 0);
		(void)unlinkat(base, id, AT_REMOVEDIR);
		return err_set(err, -r, "state directory %s/%s", root, id);
	}
	lock = r;
	*ret_dir = TAKE_FD(dir);
	*ret_lock = TAKE_FD(lock);
	return 0;
}

int state_open(const char *root, const char *id, int *ret_dir, struct err *err)
{
	cleanup_fd int base = open_root(root), dir = -1;
	int r = state_check_id(id, err);

	if (r < 0)
		return r;
	dir = base < 0 ? -1 : openat(base, id, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (dir >= 0) {
		*ret_dir = TAKE_FD(dir);
		return 0;
	}
	if (base == -ENOENT || (base >= 0 && (errno == ENOENT || errno == ENOTDIR)))
		return err_text(err, ENOENT, "container does not exist: %s", id);
	return err_set(err, base < 0 ? -base : errno, "state directory %s/%s", root, id);
}

int state_lock(int dir, int *ret_lock)
{
	int lock = lock_at(dir, 0);

	if (lock < 0)
		return lock;
	*ret_lock = lock;
	return 0;
}

int state_save_text(int dir, const char *name, const char *text, struct err *err)
{
	cleanup_fd int fd = -1;
	char temp[64];
	int r;

	fmt_into(temp, sizeof(temp), "%s.new", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, errno, "state directory: %s", name);
	r = fd_write_full(fd, text, strlen(text));
	if (r == 0 && renameat(dir, temp, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, temp, 0);
		return err_set(err, -r, "state directory: %s", name);
	}
	return 0;
}

int state_save(int dir, const struct state *s, struct err *err)
{
	struct json_object *o = state_to_json(s);
	int r;

	if (!o)
		return err_set(err, ENOMEM, "state of %s", s->id);
	r = state_save_text(dir, STATE_FILE,
			    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY), err);
	json_object_put(o);
	return r;
}

static int read_file(int dir, const char *name, char **ret)
{
	cleanup_free char *text = NULL;
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return -EINVAL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	r = st.st_size ? fd_read_full(fd, text, (size_t)st.st_size) : 0;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

static int load_file(int dir, struct state **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	struct json_object *o;
	int r = read_file(dir, STATE_FILE, &text);

	if (r == -ENOENT)
		return err_text(err, ENOENT, "container does not exist");
	if (r < 0)
		return err_set(err, -r, "%s", STATE_FILE);
	o = json_tokener_parse(text);
	r = state_from_json(o, ret, err);
	json_object_put(o);
	return r;
}

int state_load(int dir, struct state **ret, struct err *err)
{
	cleanup_fd int lock = -1;
	struct state *s = NULL;
	int r = load_file(dir, &s, err);

	if (r < 0)
		return r;
	if (s->status != STATE_STOPPED && state_lock(dir, &lock) == 0) {
		/* The supervisor ended, perhaps only after the file was read: what counts is what
		 * it had written by then. */
		state_free(s);
		r = load_file(dir, &s, err);
		if (r < 0)
			return r;
		if (s->status != STATE_STOPPED) {
			s->status = STATE_STOPPED;
			s->cause = END_SUPERVISOR_KILLED;
			s->exit_code = cause_info(END_SUPERVISOR_KILLED)->exit_code;
			fmt_into(s->detail, sizeof(s->detail), "the supervisor was killed");
		}
	}
	*ret = s;
	return 0;
}

int state_remove(const char *root, const char *id, int dir, struct err *err)
{
	/* The lock goes last but one, so that until then others see whose directory it is. */
	static const char *const files[] = {STATE_CONTROL, STATE_FILE,		STATE_FILE ".new",
					    STATE_CONFIG,  STATE_CONFIG ".new", STATE_LOCK};
	cleanup_fd int base = open_root(root);
	unsigned int i;

	if (base < 0)
		return err_set(err, -base, "state directory %s", root);
	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (unlinkat(dir, files[i], 0) < 0 && errno != ENOENT)
			return err_set(err, errno, "remove %s/%s/%s", root, id, files[i]);
	if (unlinkat(base, id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove %s/%s", root, id);
	return 0;
}

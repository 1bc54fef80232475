/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/share.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/host/share_layers.h"
#include "runtime/util/file.h"
#include "runtime/util/nsfail.h"

#define SHARE_TREE (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)

/* The message of the child that builds a root: how it went, with the root's fd if it went well */
struct share_result {
	int32_t rc;
	char text[ERR_MSG_BYTES];
};

static int share_failed(const struct plan_source *s, int errnum, const char *step, struct err *err)
{
	return err_set(err, errnum, "%s: %s: %s", s->pointer, s->path, step);
}

/* Looks without opening: to open a device can act on it. */
static int share_look(const struct plan_source *s, struct err *err)
{
	struct stat st;
	const int fd = file_look(AT_FDCWD, s->path, 0, &st);

	if (fd < 0)
		return err_set(err, -fd, "%s: %s", s->pointer, s->path);
	if (!S_ISDIR(st.st_mode) && (!s->name || !S_ISREG(st.st_mode))) {
		close(fd);
		return err_text(err, ENOTDIR, "%s: %s: is not a directory%s", s->pointer, s->path,
				s->name ? " or regular file" : "");
	}
	return fd;
}

/* A copy of the mount below @fd, not attached anywhere */
static int share_tree(const struct plan_source *s, int fd, struct err *err)
{
	const struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    (s->readonly ? MOUNT_ATTR_RDONLY : 0),
		.propagation = MS_PRIVATE,
	};
	cleanup_fd int tree = (int)syscall(SYS_open_tree, fd, "", SHARE_TREE | AT_EMPTY_PATH);

	if (tree < 0)
		return share_failed(s, errno, "bind-mount it", err);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) < 0)
		return share_failed(s, errno, "limit its mount", err);
	return TAKE_FD(tree);
}

static int share_overlay(const struct plan_source *s, struct err *err)
{
	const int tree = share_layers_mount(s->layers,
					    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						    (s->readonly ? MOUNT_ATTR_RDONLY : 0));

	return tree < 0 ? share_failed(s, -tree, "mount the overlay", err) : tree;
}

/* ---- several sources, or a caller who may not mount: a child with a mount namespace ---- */

static int share_write(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -errno : 0;
}

/* A user namespace in which the caller is itself, and may mount */
static int share_user(struct err *err)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char map[48];

	if (unshare(CLONE_NEWUSER) < 0)
		return nsfail_explain(CLONE_NEWUSER, errno, "", err);
	if (share_write("/proc/self/setgroups", "deny") < 0)
		return err_set(err, errno, "a user namespace for shared directories");
	fmt_into(map, sizeof(map), "%u %u 1\n", uid, uid);
	if (share_write("/proc/self/uid_map", map) < 0)
		return err_set(err, errno, "/proc/self/uid_map");
	fmt_into(map, sizeof(map), "%u %u 1\n", gid, gid);
	if (share_write("/proc/self/gid_map", map) < 0)
		return err_set(err, errno, "/proc/self/gid_map");
	return 0;
}

/* Puts the mount @fd in the place of a directory below @tree; -1: errno says why it is none */
static int share_put(const struct plan_source *s, int tree, const char *path, int fd,
		     struct err *err)
{
	cleanup_fd int at = file_look_inside(tree, path, O_DIRECTORY);

	if (at < 0)
		return share_failed(s, -at, s->hidden, err);
	if (fd < 0 || syscall(SYS_move_mount, fd, "", at, "",
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return share_failed(s, errno, s->hidden, err);
	return 0;
}

/* A name that has a mount stays: so a guest can neither move the directory away, nor put one of its own there. */
static int share_pin(const struct plan_source *s, int tree, const char *path, struct err *err)
{
	cleanup_fd int at = file_look_inside(tree, path, O_DIRECTORY);
	cleanup_fd int same = -1;

	if (at < 0)
		return share_failed(s, -at, s->hidden, err);
	same = (int)syscall(SYS_open_tree, at, "", SHARE_TREE | AT_EMPTY_PATH);
	return share_put(s, tree, path, same, err);
}

int share_clone(const struct plan_source *s, struct err *err)
{
	cleanup_fd int fd = s->layers ? -1 : share_look(s, err);

	if (s->layers)
		return share_overlay(s, err);
	return fd < 0 ? fd : share_tree(s, fd, err);
}

int share_empty(void)
{
	cleanup_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

int share_cover(const struct plan_source *s, int tree, struct err *err)
{
	cleanup_fd int empty = share_empty();
	char path[PATH_MAX];
	int rc = 0;

	for (const char *end = s->hidden; rc == 0 && (end = strchr(end, '/')); end++) {
		fmt_into(path, sizeof(path), "%.*s", (int)(end - s->hidden), s->hidden);
		rc = share_pin(s, tree, path, err);
	}
	return rc < 0 ? rc : share_put(s, tree, s->hidden, empty, err);
}

/* Gives a tree its name in the root, which is the working directory */
static int share_attach(const struct plan_source *s, int tree, struct err *err)
{
	struct stat st;
	int rc = fstat(tree, &st);

	if (rc == 0 && S_ISDIR(st.st_mode))
		rc = mkdir(s->name, 0755);
	else if (rc == 0)
		rc = mknod(s->name, S_IFREG | 0644, 0);
	if (rc == 0)
		rc = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, s->name,
				  MOVE_MOUNT_F_EMPTY_PATH);
	if (rc < 0)
		return share_failed(s, errno, "attach it", err);
	return s->hidden ? share_cover(s, tree, err) : 0;
}

/* The root: a tmpfs that holds nothing but the names, read-only itself */
static int share_root(const struct plan_source *source, unsigned int nr, const int *tree,
		      struct err *err)
{
	const struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
	int rc = 0, fd;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1m,mode=0755") <
		    0 ||
	    chdir("/proc") < 0)
		return err_set(err, errno, "a root for shared directories");
	for (unsigned int i = 0; rc == 0 && i < nr; i++)
		rc = share_attach(&source[i], tree[i], err);
	if (rc == 0 &&
	    syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &readonly, sizeof(readonly)) < 0)
		rc = err_set(err, errno, "a root for shared directories");
	if (rc < 0)
		return rc;
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, ".", SHARE_TREE);
	return fd < 0 ? err_set(err, errno, "a root for shared directories") : fd;
}

/* Looks the sources up anew where the caller's own mounts cannot be copied */
static int share_trees(const struct plan_source *source, unsigned int nr, int *tree, bool anew,
		       struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		if (!anew && tree[i] >= 0)
			continue;
		tree[i] = share_clone(&source[i], err);
		rc = tree[i] < 0 ? tree[i] : 0;
	}
	return rc;
}

static int share_build(const struct plan_source *source, unsigned int nr, int *tree, bool user,
		       struct err *err)
{
	int rc = user ? share_user(err) : 0;

	if (rc == 0 && unshare(CLONE_NEWNS) < 0)
		rc = nsfail_explain(CLONE_NEWNS, errno, "", err);
	if (rc == 0 && user)
		rc = share_trees(source, nr, tree, true, err);
	if (rc < 0)
		return rc;
	return source[0].name ? share_root(source, nr, tree, err) : tree[0];
}

static NORETURN void share_child(int sock, const struct plan_source *source, unsigned int nr,
				 int *tree, bool user)
{
	struct err err = {0};
	struct share_result r = {.rc = share_build(source, nr, tree, user, &err)};

	fmt_into(r.text, sizeof(r.text), "%s", err.msg);
	if (fd_send(sock, &r, sizeof(r), &r.rc, r.rc >= 0) < 0)
		_exit(1);
	_exit(0);
}

static int share_by_child(const struct plan_source *source, unsigned int nr, int *tree, bool user,
			  int *ret_fd, struct err *err)
{
	cleanup_fd int ours = -1, its = -1;
	struct share_result r = {0};
	int sock[2], fds[FDIO_FDS_MAX];
	unsigned int nr_fds = 0;
	pid_t pid;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(err, errno, "socket for shared directories");
	ours = sock[0];
	its = sock[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, errno, "fork");
	if (pid == 0)
		share_child(its, source, nr, tree, user);
	cleanup_close_fd(&its);
	its = -1;
	n = fd_recv(ours, &r, sizeof(r), fds, &nr_fds);
	(void)waitpid(pid, NULL, 0);
	if (n != sizeof(r) || (r.rc >= 0 && nr_fds != 1))
		return err_text(err, EIO, "shared directories: the child that mounts them died");
	if (r.rc < 0)
		return err_text(err, -r.rc, "%.*s", (int)sizeof(r.text), r.text);
	*ret_fd = fds[0];
	return 0;
}

int share_open(const struct plan_source *source, unsigned int nr, int *ret_fd, struct err *err)
{
	int tree[FS_SOURCES_MAX];
	bool user = false;
	int rc = 0;

	vr_assert(nr > 0 && nr <= FS_SOURCES_MAX);
	memset(tree, 0xff, sizeof(tree));
	rc = share_trees(source, nr, tree, false, err);
	user = rc == -EPERM;
	if (rc == 0 && !source[0].name)
		*ret_fd = TAKE_FD(tree[0]);
	else if (rc == 0 || user)
		rc = share_by_child(source, nr, tree, user, ret_fd, err);
	for (unsigned int i = 0; i < nr; i++)
		cleanup_close_fd(&tree[i]);
	return rc;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "runtime/util/unix_path.h"

#define BACKLOG	      128
#define LOOK_AGAIN_NS 100000000 /* another process takes less from bind() to listen() */
#define LOOKS_MAX     6

static bool listen_refuses(const char *path)
{
	/* Of any type: one that a process listens on says EPROTOTYPE if it is another. */
	cleanup_fd int fd = unix_connect(path, SOCK_STREAM, O_NOFOLLOW);

	return fd == -ECONNREFUSED;
}

static bool listen_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether it is a socket of the caller without a listener, such as a SIGKILL leaves behind. It must refuse
 * twice, as its owner may be about to listen; if it accepts, its owner may be about to exit: wait for that. */
static bool listen_is_stale(const char *path, struct stat *ret)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	unsigned int refused = 0;

	if (lstat(path, ret) < 0 || !S_ISSOCK(ret->st_mode) || ret->st_uid != geteuid())
		return false;
	for (unsigned int looks = 0; looks < LOOKS_MAX && refused < 2; looks++) {
		if (looks > 0)
			nanosleep(&pause, NULL);
		refused = listen_refuses(path) ? refused + 1 : 0;
	}
	return refused == 2;
}

/* Another process may replace the socket at the same time, so check the one that was moved away again. */
static int listen_take_away(const char *path)
{
	const char *slash = strrchr(path, '/');
	char aside[PATH_MAX];
	struct stat stale, moved;

	if (!listen_is_stale(path, &stale))
		return -EADDRINUSE;
	/* In the same directory; the name itself may leave no room for more. */
	fmt_into(aside, sizeof(aside), "%.*s.vmrun.%d", slash ? (int)(slash + 1 - path) : 0, path,
		 getpid());
	if (rename(path, aside) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (lstat(aside, &moved) < 0)
		return -errno;
	/* A newer socket at the path by now stays there. */
	if (!listen_same(&stale, &moved) && link(aside, path) < 0 && errno != EEXIST)
		return -errno;
	return unlink(aside) < 0 ? -errno : listen_same(&stale, &moved) ? 0 : -EADDRINUSE;
}

/* A socket bound to @path; each try has one of its own, since a socket is bound once only */
static int listen_try(const char *path, int type, int *ret_fd)
{
	cleanup_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int rc = fd < 0 ? -errno : unix_bind(fd, path);

	if (rc == 0)
		*ret_fd = TAKE_FD(fd);
	return rc;
}

static int listen_bind(const char *path, int type, int *ret_fd)
{
	int rc = listen_try(path, type, ret_fd);

	if (rc != -EADDRINUSE)
		return rc;
	rc = listen_take_away(path);
	return rc == 0 ? listen_try(path, type, ret_fd) : rc;
}

/* Says what keeps the path in use. */
static int listen_fail(const char *path, int rc, struct err *err)
{
	struct stat st;

	if (rc != -EADDRINUSE || lstat(path, &st) < 0)
		return err_set(err, -rc, "socket %s", path);
	return err_text(err, -rc, "socket %s: %s", path,
			!S_ISSOCK(st.st_mode)	 ? S_ISDIR(st.st_mode)	 ? "is a directory"
						   : S_ISLNK(st.st_mode) ? "is a symbolic link"
						   : S_ISREG(st.st_mode) ? "is a file"
									 : "is no socket"
			: st.st_uid != geteuid() ? "belongs to another user"
						 : "a process listens on it");
}

int listen_at(const char *path, int type, struct listener *ret, struct err *err)
{
	struct listener l = {.path = path};
	cleanup_fd int fd = -1;
	struct stat st;
	int rc = listen_bind(path, type, &fd);

	if (rc < 0)
		return listen_fail(path, rc, err);
	if (listen(fd, BACKLOG) < 0 || lstat(path, &st) < 0) {
		rc = err_set(err, errno, "socket %s", path);
		(void)unlink(path);
		return rc;
	}
	l.dev = st.st_dev;
	l.ino = st.st_ino;
	l.fd = TAKE_FD(fd);
	*ret = l;
	return 0;
}

static bool listen_socket_is(int fd, int option, int wanted)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

int listen_inherit(int fd, struct listener *ret, struct err *err)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return err_set(err, errno, "fd %d", fd);
	if (!listen_socket_is(fd, SO_DOMAIN, AF_UNIX) ||
	    !listen_socket_is(fd, SO_TYPE, SOCK_STREAM) || !listen_socket_is(fd, SO_ACCEPTCONN, 1))
		return err_text(err, EINVAL, "fd %d: is not a Unix stream socket that listens", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(err, errno, "fd %d", fd);
	*ret = (struct listener){.fd = fd};
	return 0;
}

void listen_done(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->path);
	cleanup_close_fd(&l->fd);
	l->fd = -1;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/listen.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "devices/core/fmt.h"

#define BACKLOG	      4
#define LOOK_AGAIN_NS 100000000 /* another process takes less from bind() to listen() */
#define LOOKS_MAX     6

static int listen_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool listen_refuses(const struct sockaddr_un *sun)
{
	cleanup_fd int fd = listen_unix_socket();

	return fd >= 0 && connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
	       errno == ECONNREFUSED;
}

static bool listen_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether it is a socket of the caller without a listener, such as a SIGKILL leaves behind. It must refuse
 * twice, as its owner may be about to listen; if it accepts, its owner may be about to exit: wait for that. */
static bool listen_is_stale(const struct sockaddr_un *sun, struct stat *ret)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	unsigned int refused = 0;

	if (lstat(sun->sun_path, ret) < 0 || !S_ISSOCK(ret->st_mode) || ret->st_uid != geteuid())
		return false;
	for (unsigned int looks = 0; looks < LOOKS_MAX && refused < 2; looks++) {
		if (looks > 0)
			nanosleep(&pause, NULL);
		refused = listen_refuses(sun) ? refused + 1 : 0;
	}
	return refused == 2;
}

/* Another process may replace the socket at the same time, so check the one that was moved away again. */
static int listen_take_away(const struct sockaddr_un *sun)
{
	char aside[PATH_MAX];
	struct stat stale, moved;

	if (!listen_is_stale(sun, &stale))
		return -EADDRINUSE;
	fmt_into(aside, sizeof(aside), "%s.%d", sun->sun_path, getpid());
	if (rename(sun->sun_path, aside) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (lstat(aside, &moved) < 0)
		return -errno;
	/* A newer socket at the path by now stays there. */
	if (!listen_same(&stale, &moved) && link(aside, sun->sun_path) < 0 && errno != EEXIST)
		return -errno;
	return unlink(aside) < 0 ? -errno : listen_same(&stale, &moved) ? 0 : -EADDRINUSE;
}

static int listen_bind_to(int fd, const struct sockaddr_un *sun)
{
	int rc = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	if (rc != -EADDRINUSE)
		return rc;
	rc = listen_take_away(sun);
	if (rc == 0 && bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0)
		rc = -errno;
	return rc;
}

int listen_at(const char *path, struct listener *ret, struct err *err)
{
	struct listener l = {.path = path};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	cleanup_fd int fd = listen_unix_socket();
	struct stat st;
	int rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return err_set(err, ENAMETOOLONG, "socket %s", path);
	strcpy(sun.sun_path, path);
	rc = fd < 0 ? -errno : listen_bind_to(fd, &sun);
	if (rc < 0)
		return err_set(err, -rc, "socket %s", path);
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

void listen_done(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	if (lstat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->path);
	cleanup_close_fd(&l->fd);
	l->fd = -1;
}

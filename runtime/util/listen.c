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
#define LOOK_AGAIN_NS 100000000 /* between bind() and listen() of another process lies less */
#define LOOKS_MAX     6

static int unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool refuses(const struct sockaddr_un *sun)
{
	cleanup_fd int fd = unix_socket();

	return fd >= 0 && connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
	       errno == ECONNREFUSED;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A socket of the caller's that nobody listens on, as one stays behind after a SIGKILL. It has to refuse
 * twice: it may just be being born. And it may just be dying: that is waited for. */
static bool is_stale(const struct sockaddr_un *sun, struct stat *ret)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	unsigned int looks, refused = 0;

	if (lstat(sun->sun_path, ret) < 0 || !S_ISSOCK(ret->st_mode) || ret->st_uid != geteuid())
		return false;
	for (looks = 0; looks < LOOKS_MAX && refused < 2; looks++) {
		if (looks > 0)
			nanosleep(&pause, NULL);
		refused = refuses(sun) ? refused + 1 : 0;
	}
	return refused == 2;
}

/* Another process may replace it at the same time: what is moved away is looked at again. */
static int take_away(const struct sockaddr_un *sun)
{
	char aside[PATH_MAX];
	struct stat stale, moved;

	if (!is_stale(sun, &stale))
		return -EADDRINUSE;
	fmt_into(aside, sizeof(aside), "%s.%d", sun->sun_path, getpid());
	if (rename(sun->sun_path, aside) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (lstat(aside, &moved) < 0)
		return -errno;
	/* If there is a newer one by now, that one keeps the place. */
	if (!same(&stale, &moved) && link(aside, sun->sun_path) < 0 && errno != EEXIST)
		return -errno;
	return unlink(aside) < 0 ? -errno : same(&stale, &moved) ? 0 : -EADDRINUSE;
}

static int bind_to(int fd, const struct sockaddr_un *sun)
{
	int rc = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	if (rc != -EADDRINUSE)
		return rc;
	rc = take_away(sun);
	if (rc == 0 && bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0)
		rc = -errno;
	return rc;
}

int listen_at(const char *path, struct listener *ret, struct err *err)
{
	struct listener l = {.path = path};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	cleanup_fd int fd = unix_socket();
	struct stat st;
	int rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return err_set(err, ENAMETOOLONG, "socket %s", path);
	strcpy(sun.sun_path, path);
	rc = fd < 0 ? -errno : bind_to(fd, &sun);
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

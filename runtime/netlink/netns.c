/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include "runtime/util/ns_file.h"
#include "runtime/util/nsfail.h"

#define OWN "/proc/thread-self/ns/net"

int netns_open(const char *path, int *ret_fd, struct err *err)
{
	return ns_file_open(path, CLONE_NEWNET, ret_fd, err);
}

int netns_identify(int fd, struct netns_id *ret, struct err *err)
{
	struct stat st;

	if (fd >= 0 ? fstat(fd, &st) < 0 : stat(OWN, &st) < 0)
		return err_set(err, errno, "%s", fd >= 0 ? "network namespace" : OWN);
	*ret = (struct netns_id){st.st_dev, st.st_ino};
	return 0;
}

bool netns_same(const struct netns_id *a, const struct netns_id *b)
{
	return a->ino && a->dev == b->dev && a->ino == b->ino;
}

int netns_enter(int fd, int *ret_old, struct err *err)
{
	cleanup_fd int old = open(OWN, O_RDONLY | O_CLOEXEC);

	if (old < 0)
		return err_set(err, errno, "%s", OWN);
	if (fd >= 0 ? setns(fd, CLONE_NEWNET) < 0 : unshare(CLONE_NEWNET) < 0)
		return fd < 0 && errno == ENOSPC
			       ? nsfail_explain(CLONE_NEWNET, errno, "", err)
			       : err_set(err, errno, "%s a network namespace: needs CAP_SYS_ADMIN",
					 fd >= 0 ? "enter" : "make");
	*ret_old = TAKE_FD(old);
	return 0;
}

void netns_leave(int old)
{
	/* All that follows would change the wrong namespace. */
	vr_assert(setns(old, CLONE_NEWNET) == 0);
	close(old);
}

/**
 * struct inside - What is done in a namespace, by a thread that ends there
 */
struct inside {
	int fd;
	int (*fn)(struct nl *nl, void *arg, struct err *err);
	void *arg;
	struct err *err;
	int rc;
};

static void *netns_thread(void *arg)
{
	struct inside *in = arg;
	cleanup_nl struct nl nl = NL_CLOSED;

	if (setns(in->fd, CLONE_NEWNET) < 0)
		in->rc = err_set(in->err, errno, "enter a network namespace: needs CAP_SYS_ADMIN");
	else
		in->rc = nl_open(&nl, NETLINK_ROUTE, in->err);
	if (in->rc == 0)
		in->rc = in->fn(&nl, in->arg, in->err);
	return NULL;
}

/* Who has rights in a namespace has them not always in its own, as under rootless podman, and could not come back. */
static int netns_run(struct inside *in)
{
	pthread_t thread;
	const int rc = pthread_create(&thread, NULL, netns_thread, in);

	if (rc)
		return err_set(in->err, rc, "network namespace: thread");
	(void)pthread_join(thread, NULL);
	return in->rc;
}

int netns_inside(const char *path, struct netns_id *id,
		 int (*fn)(struct nl *nl, void *arg, struct err *err), void *arg, struct err *err)
{
	cleanup_fd int fd = -1;
	struct inside in = {.fn = fn, .arg = arg, .err = err};
	struct netns_id found;
	int rc = netns_open(path, &fd, err);

	if (rc == 0)
		rc = netns_identify(fd, &found, err);
	if (rc == 0 && id->ino && !netns_same(id, &found))
		rc = err_text(err, ESTALE, "%s leads to another network namespace than at create",
			      path);
	if (rc < 0)
		return rc;
	*id = found;
	in.fd = fd;
	return netns_run(&in);
}

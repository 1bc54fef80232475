/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/netlink/netns.h"

#include <errno.h>
#include <fcntl.h>
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

int netns_inside(const char *path, struct netns_id *id,
		 int (*fn)(struct nl *nl, void *arg, struct err *err), void *arg, struct err *err)
{
	cleanup_fd int fd = -1;
	struct netns_id found;
	int old = -1, rc = netns_open(path, &fd, err);

	if (rc == 0)
		rc = netns_identify(fd, &found, err);
	if (rc == 0 && id->ino && !netns_same(id, &found))
		rc = err_text(err, ESTALE, "%s leads to another network namespace than at create",
			      path);
	if (rc == 0)
		rc = netns_enter(fd, &old, err);
	if (rc < 0)
		return rc;
	*id = found;
	{
		cleanup_nl struct nl nl = NL_CLOSED;

		rc = nl_open(&nl, NETLINK_ROUTE, err);
		if (rc == 0)
			rc = fn(&nl, arg, err);
	}
	netns_leave(old);
	return rc;
}

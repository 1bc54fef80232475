/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Modes fd and none: nothing is made on the host
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/net/ops.h"

static int mode_fd_plan(const struct plan_net *p, const char *id UNUSED,
			struct net_record *record UNUSED, struct err *err)
{
	const int flags = p->fd > STDERR_FILENO ? fcntl(p->fd, F_GETFD) : -1;

	/* Files that vmrun opened are close-on-exec; inherited ones are not. */
	if (flags < 0 || flags & FD_CLOEXEC)
		return err_text(err, EBADF, "fd %d was not inherited", p->fd);
	if (p->queue_pairs != 1)
		return err_text(err, EINVAL, "fd %d is one queue pair, not %u", p->fd,
				p->queue_pairs);
	return fcntl(p->fd, F_SETFD, FD_CLOEXEC) < 0 ? err_set(err, errno, "fd %d", p->fd) : 0;
}

static int mode_fd_setup(const struct plan_net *p, struct net_record *record, struct tap *ret,
			 struct err *err)
{
	int rc = tap_adopt(p->fd, ret, err);

	if (rc == 0)
		memcpy(record->tap, ret->name, sizeof(record->tap));
	return rc;
}

static int mode_fd_setup_none(const struct plan_net *p UNUSED, struct net_record *record UNUSED,
			      struct tap *ret UNUSED, struct err *err UNUSED)
{
	return 0;
}

const struct net_ops net_fd_ops = {mode_fd_plan, mode_fd_setup, NULL};
const struct net_ops net_none_ops = {NULL, mode_fd_setup_none, NULL};

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network namespaces: found by path, told apart, entered and left
 */
#ifndef VMRUN_RUNTIME_NETLINK_NETNS_H
#define VMRUN_RUNTIME_NETLINK_NETNS_H

#include "runtime/netlink/nl.h"
#include "runtime/util/netns_id.h"

/**
 * netns_open() - A namespace by path; refuses what is none (-EINVAL) or of another kind
 *
 * Syscalls: openat fstatfs ioctl
 */
MUST_CHECK int netns_open(const char *path, int *ret_fd, struct err *err);

/** netns_identify() - Which one @fd is; -1: the calling thread's own.  Syscalls: fstat stat */
MUST_CHECK int netns_identify(int fd, struct netns_id *ret, struct err *err);

/** netns_same() - Whether both are known, and one */
bool netns_same(const struct netns_id *a, const struct netns_id *b);

/**
 * netns_enter() - Make @fd, or with -1 a new one, the calling thread's network namespace
 * @ret_old:	Where to go back to: netns_leave(). The caller has one thread
 *
 * Syscalls: openat setns unshare
 */
MUST_CHECK int netns_enter(int fd, int *ret_old, struct err *err);
/** netns_leave() - Back; closes @old. A failure is fatal for the process (vr_assert) */
void netns_leave(int old);

/**
 * netns_inside() - Run @fn inside the network namespace @path, with an rtnetlink socket of it
 * @id:		Which one it has to be; filled in when not known
 *
 * Context: a process with one thread
 * Return: @fn's; -ESTALE when it is another one; other -errno
 */
MUST_CHECK int netns_inside(const char *path, struct netns_id *id,
			    int (*fn)(struct nl *nl, void *arg, struct err *err), void *arg,
			    struct err *err);

#endif

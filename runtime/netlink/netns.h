/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Network namespaces: found by path, told apart, entered and left
 */
#ifndef VMRUN_RUNTIME_NETLINK_NETNS_H
#define VMRUN_RUNTIME_NETLINK_NETNS_H

#include "runtime/netlink/nl.h"
#include "runtime/util/netns_id.h"

/**
 * netns_open() - Open the network namespace at @path; -EINVAL if it is anything else
 *
 * Syscalls: those of ns_file_open()
 */
MUST_CHECK int netns_open(const char *path, int *ret_fd, struct err *err);

/** netns_identify() - Identify the namespace of @fd; -1: the calling thread's own.  Syscalls: fstat stat */
MUST_CHECK int netns_identify(int fd, struct netns_id *ret, struct err *err);

/** netns_same() - Whether both are known and the same */
bool netns_same(const struct netns_id *a, const struct netns_id *b);

/**
 * netns_enter() - Make @fd, or with -1 a new one, the calling thread's network namespace
 * @ret_old:	The namespace before, for netns_leave()
 *
 * Context: a process with one thread.
 * Syscalls: openat setns unshare
 */
MUST_CHECK int netns_enter(int fd, int *ret_old, struct err *err);
/** netns_leave() - Return to @old and close it. A failure ends the process (vr_assert) */
void netns_leave(int old);

/**
 * netns_inside() - Run @fn inside the network namespace @path, with an rtnetlink socket of it
 * @id:		The namespace it must be; filled in if not known
 *
 * A thread does it that ends there: the caller stays where it is, and needs no right to come back.
 * Return: what @fn returned; -ESTALE if @path leads to another namespace; other -errno
 */
MUST_CHECK int netns_inside(const char *path, struct netns_id *id,
			    int (*fn)(struct nl *nl, void *arg, struct err *err), void *arg,
			    struct err *err);

#endif

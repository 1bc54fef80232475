/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The user of a jailed process
 *
 * Inside its user namespace a jailed process is USERNS_ID, the only user there. (One that acts for the users
 * of its guest has those too: userns_map.h.) Outside, all processes of a
 * VM have one host uid. If the caller may choose it, that is USERNS_HOST_BASE plus a number that no other VM
 * of the host has at that time; otherwise it is the caller's own.
 *
 * The number is the id of an eventfd (proc(5), eventfd-id), which the supervisor keeps open as long as it
 * lives. The kernel numbers the eventfds of the whole host, in all namespaces, and each number belongs to one
 * eventfd at a time. So no file has to be locked or removed, and there is no race: if a supervisor is killed,
 * its jailed processes die with it.
 *
 * The choice takes CAP_SETUID and CAP_SETGID in a user namespace that has these ids: the root of unshare -r
 * and of rootless containers does not. Root without CAP_SETFCAP cannot even map its own uid; its jailed
 * processes have no uid in their namespace.
 */
#ifndef VMRUN_RUNTIME_JAIL_USERNS_H
#define VMRUN_RUNTIME_JAIL_USERNS_H

#include "runtime/jail/userns_map.h"

/**
 * userns_choose() - Choose ids for a VM, which are its own until the calling process exits
 *
 * Syscalls: capget eventfd2 openat read close; the eventfd stays open
 */
MUST_CHECK int userns_choose(struct userns_ids *ret, struct err *err);

/** userns_own_ids() - Whether the caller's user namespace has fewer ids than the host */
bool userns_own_ids(void);

/**
 * userns_write_maps() - Give a child in a new user namespace its one user and one group
 * @pid:	A child of the caller that was not waited for, so that the number is still its own
 *
 * Denies setgroups first: the kernel requires that of a caller without privilege, and no jail needs it.
 * Context: the parent
 * Syscalls: openat write close
 */
MUST_CHECK int userns_write_maps(pid_t pid, const struct userns_ids *ids, struct err *err);

/**
 * userns_become() - Become the user of this namespace, once the maps are written; without a mapped uid only the gid changes
 *
 * Context: the child, before exec
 * Syscalls: setresgid setresuid prctl
 * Return: 0 or -errno
 */
MUST_CHECK int userns_become(const struct userns_ids *ids);

#endif

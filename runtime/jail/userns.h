/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The user of a jailed process
 *
 * Inside its user namespace a jailed process is USERNS_ID, and there is no other user. Outside, every
 * process of one VM has one host uid. Where the caller may choose it, that is USERNS_HOST_BASE plus a
 * number that no other VM of the host has at that time; otherwise it is the caller's own.
 *
 * The number is the id of an eventfd (proc(5), eventfd-id), which the supervisor keeps for as long as it
 * lives. The kernel numbers the eventfds of the whole host, whatever namespaces they are made in, and gives
 * no number twice at a time. So there is no file to lock, none to leave behind, and no race. The
 * jailed processes of a supervisor that is killed die with it.
 *
 * The caller may choose with CAP_SETUID and CAP_SETGID, in a user namespace that has these ids: the root
 * of unshare -r and of rootless containers has not. Root without CAP_SETFCAP cannot even give its own uid
 * to a user namespace; its jailed processes have none in theirs.
 */
#ifndef VMRUN_RUNTIME_JAIL_USERNS_H
#define VMRUN_RUNTIME_JAIL_USERNS_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define USERNS_ID	  1 /* not 0: execve gives the root of a namespace its capabilities back */
#define USERNS_HOST_BASE  0x70000000U /* above the ranges of /etc/subuid and systemd */
#define USERNS_HOST_COUNT 0x10000000U
#define USERNS_NONE	  ((uid_t)-1)

/**
 * struct userns_ids - Host uid and gid that USERNS_ID stands for
 * @uid:	USERNS_NONE: it stands for no user, and the process stays what it is
 * @exclusive: No other process of the host has them
 */
struct userns_ids {
	uid_t uid;
	gid_t gid;
	bool exclusive;
};

/**
 * userns_choose() - The ids for a VM, which stay its own until the calling process exits
 *
 * Syscalls: capget eventfd2 openat read close; the eventfd stays open
 */
MUST_CHECK int userns_choose(struct userns_ids *ret, struct err *err);

/** userns_own_ids() - Whether the caller is in a user namespace that has fewer ids than the host */
bool userns_own_ids(void);

/** userns_maps() - Whether @id is in the map of a user namespace; @map as /proc/PID/uid_map has it */
bool userns_maps(const char *map, uint32_t id);

/**
 * userns_write_maps() - Give a child in a new user namespace its one user and one group
 * @pid:	Child of the caller that nobody has waited for, so that the number is still its own
 *
 * setgroups is denied first: without privilege the kernel demands it, and with privilege nobody in
 * there needs it.
 * Context: the parent.  Syscalls: openat write close
 */
MUST_CHECK int userns_write_maps(pid_t pid, const struct userns_ids *ids, struct err *err);

/**
 * userns_become() - Become USERNS_ID, if that is a user; the maps have been written
 *
 * Context: the child, before exec.  Syscalls: setresgid setresuid
 * Return: 0 or -errno
 */
MUST_CHECK int userns_become(const struct userns_ids *ids);

#endif

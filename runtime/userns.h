/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The user of a jailed process
 *
 * Inside its user namespace a jailed process is USERNS_ID and nobody else exists. Outside, every
 * process of one VM is one host uid: when vmrun is root, USERNS_HOST_BASE plus the supervisor's pid,
 * which no account and no other living VM has; otherwise the caller's own.
 */
#ifndef VMRUN_RUNTIME_USERNS_H
#define VMRUN_RUNTIME_USERNS_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define USERNS_ID        1 /* not 0: execve gives the root of a namespace its capabilities back */
#define USERNS_HOST_BASE 0x70000000U

/** struct userns_ids - Host uid and gid that USERNS_ID stands for */
struct userns_ids {
	uid_t uid;
	gid_t gid;
};

/**
 * userns_ids() - The ids for the VM whose supervisor is @supervisor
 *
 * Pids are below 2^22 on Linux, so the sum stays below 2^31 and out of the ranges of /etc/subuid.
 */
struct userns_ids userns_ids(pid_t supervisor);

/**
 * userns_write_maps() - Give a child in a new user namespace its one user and one group
 * @pid:	Child of the caller that nobody has waited for, so that the number is still its own
 *
 * setgroups is denied first: without privilege the kernel demands it, and with privilege nobody in
 * there needs it.
 * Context: the parent.  Syscalls: openat write close
 */
MUST_CHECK int userns_write_maps(pid_t pid, struct userns_ids ids, struct err *err);

/**
 * userns_become() - Become USERNS_ID; the maps have been written
 *
 * Context: the child, before exec.  Syscalls: setresgid setresuid
 * Return: 0 or -errno
 */
MUST_CHECK int userns_become(void);

#endif

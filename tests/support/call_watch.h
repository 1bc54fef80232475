/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Seeing, holding and failing the system calls of a device under test
 *
 * A second seccomp filter beside the device's own hands calls to the test before they are made
 * (SECCOMP_RET_USER_NOTIF). What the policy forbids still kills.
 */
#ifndef VMRUN_TESTS_SUPPORT_CALL_WATCH_H
#define VMRUN_TESTS_SUPPORT_CALL_WATCH_H

#include <linux/seccomp.h>

#include "devices/core/base.h"

#define CALL_WATCH_MAX 8

/** struct call_watch - A call of thread @tid that waits for call_watch_go() or call_watch_fail() */
struct call_watch {
	uint64_t id;
	int tid;
	struct seccomp_data call;
};

/**
 * call_watch_install() - Watch calls of this process, from here on, in all threads it makes
 * @nr, @nr_calls: Which; a 0 ends the list early
 *
 * Return: the fd to wait on and to ask, or -errno
 */
MUST_CHECK int call_watch_install(const int *nr, unsigned int nr_calls);

/** call_watch_next() - The next call that is about to be made; waits up to 10 s, false if there is none */
bool call_watch_next(int fd, struct call_watch *ret);

/** call_watch_go() - Let it be made */
void call_watch_go(int fd, const struct call_watch *w);

/** call_watch_fail() - Have it fail with @errnum instead */
void call_watch_fail(int fd, const struct call_watch *w, int errnum);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a process keeps of its caller across exec, settled once, before anything else
 *
 * A shell, a service manager or a test harness leaves its marks on what it starts: signals it ignores or
 * blocks, a umask, resource limits, timers, standard streams that are closed. None of them is a wish about
 * a VM, and each has been seen to end one. Left alone are those that are a wish: niceness, CPU affinity,
 * I/O priority, an ignored SIGHUP (nohup), and hard limits, which inherited_check() holds against a plan.
 */
#ifndef VMRUN_RUNTIME_HOST_INHERITED_H
#define VMRUN_RUNTIME_HOST_INHERITED_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/host/assets.h"
#include "runtime/plan/plan.h"

/** RLIMIT_NOFILE of who jails a process: its fds pass through numbers above the slots on their way */
#define INHERITED_JAIL_FILES 256

/**
 * inherited_settle() - Standard streams, signals, timers, umask and soft limits as this program needs them
 *
 * Context: the first thing in main().
 * Syscalls: fcntl openat rt_sigaction rt_sigprocmask setitimer umask prlimit64
 * Return: 0, or -errno when a standard stream is closed and /dev/null cannot take its place
 */
MUST_CHECK int inherited_settle(struct err *err);

/** inherited_need() - Whether @resource, one of RLIMIT_*, allows @need; -EPERM and an error that names it */
MUST_CHECK int inherited_need(int resource, uint64_t need, struct err *err);

/** inherited_check() - The same for all that the processes of @p will need, while nothing has been made */
MUST_CHECK int inherited_check(const struct plan *p, const struct assets *a, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Process state inherited across exec, settled before anything else
 *
 * A shell, a service manager or a test harness passes its state on to what it starts: ignored and blocked
 * signals, a umask, resource limits, timers, closed standard streams. None of these says anything about the
 * VM, and each has ended one. State that the caller chose on purpose stays: niceness, CPU affinity, I/O
 * priority, an ignored SIGHUP (nohup), and hard limits, which inherited_check() compares with the plan.
 */
#ifndef VMRUN_RUNTIME_HOST_INHERITED_H
#define VMRUN_RUNTIME_HOST_INHERITED_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/host/assets.h"
#include "runtime/plan/plan.h"

/** RLIMIT_NOFILE needed to jail a process: its fds are first moved to numbers above the slots */
#define INHERITED_JAIL_FILES 256

/**
 * inherited_settle() - Set standard streams, signals, timers, umask and soft limits for this program
 *
 * Context: the first call of main().
 * Syscalls: fcntl openat rt_sigaction rt_sigprocmask setitimer umask prlimit64
 * Return: 0, or -errno if a standard stream is closed and /dev/null cannot replace it
 */
MUST_CHECK int inherited_settle(struct err *err);

/** inherited_need() - Check that @resource, one of RLIMIT_*, allows @need; -EPERM with an error that names it */
MUST_CHECK int inherited_need(int resource, uint64_t need, struct err *err);

/** inherited_check() - Check the limits for all processes of @p, before anything is made */
MUST_CHECK int inherited_check(const struct plan *p, const struct assets *a, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/birth.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>

static pid_t birth(uint64_t spaces, int cgroup, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = spaces | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
	};
	/* This program has one thread and no handler of its own for fork(). */
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return pid;
}

pid_t birth_first(int cgroup, int *ret_pidfd)
{
	return birth(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, cgroup, ret_pidfd);
}

/* setns() with a PID namespace says where children are born; this process stays in its own. */
pid_t birth_into(int container, int own, int cgroup, int *ret_pidfd)
{
	pid_t pid;

	if (syscall(SYS_setns, container, CLONE_NEWPID) < 0)
		return -errno;
	pid = birth(0, cgroup, ret_pidfd);
	if (pid == 0)
		return 0;
	if (syscall(SYS_setns, own, CLONE_NEWPID) < 0) {
		vr_assert(errno == 0);
	}
	return pid;
}

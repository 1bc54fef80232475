/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A process that writes to an image, stopped behind each call that changes the file or makes it durable
 */
#ifndef VMRUN_TESTS_SUPPORT_QCOW2_TRACE_H
#define VMRUN_TESTS_SUPPORT_QCOW2_TRACE_H

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "tests/support/qcow2_rig.h"

enum trace_call { TRACE_OTHER, TRACE_WRITE, TRACE_SYNC };

static inline enum trace_call trace_call_of(uint64_t nr)
{
	switch (nr) {
	case SYS_pwritev:
	case SYS_pwrite64:
	case SYS_fallocate:
	case SYS_write:
	case SYS_ftruncate: return TRACE_WRITE;
	case SYS_fdatasync: return TRACE_SYNC;
	default: return TRACE_OTHER;
	}
}

/* The child, before what is traced */
static inline void trace_me(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
}

/*
 * Lets a child that has called trace_me() run; @seen looks at each call that has returned, and ends the child with
 * true. False when it came to its own end before, which must be a success.
 */
static inline bool trace_child(pid_t pid, bool (*seen)(enum trace_call call))
{
	struct __ptrace_syscall_info info;
	enum trace_call call = TRACE_OTHER;
	bool ended = false;
	int status;

	cr_assert(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	cr_assert_eq(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
		     0);
	while (!ended && ptrace(PTRACE_SYSCALL, pid, 0, 0) == 0 &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
			continue;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			call = trace_call_of(info.entry.nr);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT && call != TRACE_OTHER)
			ended = seen(call);
	}
	if (!ended) {
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the writer failed");
		return false;
	}
	kill(pid, SIGKILL);
	cr_assert(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	return true;
}

#endif

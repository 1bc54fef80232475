/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Processes of a test that lock themselves up under a policy that ships
 */
#ifndef VMRUN_TESTS_SUPPORT_LOCK_UP_H
#define VMRUN_TESTS_SUPPORT_LOCK_UP_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policies/policy.h"

#define X32_BIT 0x40000000

/* Sanitizers make system calls of their own, which no policy of ours allows. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/** lock_up() - Put the calling process under @p, or end it with 99 */
static inline void lock_up(const struct policy *p)
{
	struct sock_fprog prog = {.len = (unsigned short)p->count,
				  .filter = (struct sock_filter *)p->insn};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) != 0)
		_exit(99);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The calls that a statement is about: what stands before its ":"
 */
#ifndef VMRUN_POLICIES_CALLS_H
#define VMRUN_POLICIES_CALLS_H

#include "devices/core/err.h"
#include "policies/arch.h"
#include "policies/lex.h"

#define CALLS_MAX 64

/** struct calls - System calls of one statement; none, if all are of other architectures */
struct calls {
	unsigned int nr;
	struct call {
		int nr;
		char name[ARCH_SYSCALL_MAX];
	} call[CALLS_MAX];
};

/** calls_read() - Read calls and the ":"; the word behind it is @l's then, or the one that is wrong */
MUST_CHECK int calls_read(struct lex *l, const struct arch *a, struct calls *ret, struct err *err);

#endif

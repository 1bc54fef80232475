/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The architectures that policies are compiled for
 */
#ifndef VMRUN_POLICIES_ARCH_H
#define VMRUN_POLICIES_ARCH_H

#include "policies/constants.h"

#define ARCH_SYSCALL_MAX 40 /* bytes of a system call's name, with the zero */

/**
 * struct arch - One architecture
 * @name:	Of its folder in policies/
 * @audit:	AUDIT_ARCH_*, which the filter compares with
 * @scmp:	SCMP_ARCH_*, by which libseccomp knows its system calls
 * @narrow:	All arguments of system calls have 32 bits
 */
struct arch {
	const char *name;
	uint32_t audit;
	uint32_t scmp;
	bool narrow;
	const struct constants *constants;
};

/** arch_find() - By its own name, or minijail's ("arm64"); NULL when there is none */
const struct arch *arch_find(const char *name, size_t len);

/** arch_native() - That of this program */
const struct arch *arch_native(void);

/** arch_exists() - Whether Linux has an architecture of that name, as [arch=...] spells it */
MUST_CHECK bool arch_exists(const char *name, size_t len);

/**
 * arch_syscall() - A system call's number
 * @name:	@len bytes, not terminated
 *
 * Return: the number; -1 if no architecture has it; -2 if only others do
 */
MUST_CHECK int arch_syscall(const struct arch *a, const char *name, size_t len);

/**
 * arch_call_name() - A system call's name
 * @ret:	Filled; the number as text for one that libseccomp does not know
 */
void arch_call_name(const struct arch *a, int nr, char ret[ARCH_SYSCALL_MAX]);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The programs of a VM and their policies, found before anything is made
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_PROGRAMS_H
#define VMRUN_RUNTIME_SUPERVISOR_PROGRAMS_H

#include "runtime/jail/program.h"
#include "runtime/jail/spawned.h"
#include "runtime/plan/plan_types.h"

struct policy;

/** struct programs_policies - @nr policies in place of those compiled in; @policy NULL: none in place of them */
struct programs_policies {
	unsigned int nr;
	const struct policy *policy;
};

/**
 * programs_find() - One of them, by the names of program and policies
 * @policy:	NULL: it runs without one
 * @early:	Of the policy until it has its memory; NULL: it has @policy from the first
 * @from:	Lives as long as @ret
 * @ret:	The caller's to close
 */
MUST_CHECK int programs_find(const char *name, const char *policy, const char *early,
			     const struct programs_policies *from, struct program *ret,
			     struct err *err);

/**
 * programs_open() - Those of all processes of a plan
 * @from:	Lives as long as @ret
 * @ret:	By process, the caller's to programs_close(); untouched on failure
 *
 * Syscalls: readlink openat close
 */
MUST_CHECK int programs_open(const struct plan *p, const struct programs_policies *from,
			     struct program ret[PLAN_PROCS_MAX], struct err *err);

/** programs_describe() - As spawned_describe(), with the line of the policy that a refused call asks for */
void programs_describe(const struct program *p, const struct spawned *of, char *ret, size_t size);

/** programs_close() - Close the first @nr.  Syscalls: close */
void programs_close(const struct program *p, unsigned int nr);

#endif

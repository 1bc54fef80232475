/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A jail for the calling process, which goes on without another program
 *
 * What holds a pod is a supervisor without a VM: from a moment on it needs nothing but the files that it has open. The
 * stages are those of jail.c as far as a process can take them itself: its user stays, because others find the pod's
 * namespaces by its pid, and may look at those of their own user only.
 */
#ifndef VMRUN_RUNTIME_JAIL_SELF_H
#define VMRUN_RUNTIME_JAIL_SELF_H

#include "runtime/jail/program.h"

/**
 * self_part() - Get a mount namespace of its own, in which paths still lead where they did
 * @beneath:	A directory below which it goes on to make files: from then on by this fd only
 * @ret_apart:	Whether it has one: a caller that may not make namespaces does not
 *
 * Context: a process with one thread
 * Syscalls: open_tree unshare dup3 close
 */
MUST_CHECK int self_part(int beneath, bool *ret_apart, struct err *err);

/**
 * self_confine() - Give up files by path, all capabilities, and all system calls but those of a policy
 * @program:	Its seccomp program counts; it has no file
 * @apart:	It has a mount namespace of its own: the root becomes empty, too
 * @beneath:	As for self_part()
 *
 * Context: a process with one thread, which ends if this fails: part of it may be done
 * Syscalls: mount chdir pivot_root umount2 prctl capget capset landlock_create_ruleset landlock_add_rule
 *	     landlock_restrict_self seccomp close
 */
MUST_CHECK int self_confine(const struct program *program, bool apart, int beneath,
			    struct err *err);

/**
 * self_confine_reader() - Give up all capabilities, and all system calls but those of a policy
 * @program:	Its seccomp program counts; it has no file
 *
 * For a process that goes on to read files by path: their permissions are what is left between it and them.
 * Context: a process with one thread, which ends if this fails
 * Syscalls: prctl capget capset seccomp
 */
MUST_CHECK int self_confine_reader(const struct program *program, struct err *err);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Whether a container's program is there, seen from the host
 *
 * The guest finds out at start, but orchestrators expect it of create, and tell users what they find in its words.
 */
#ifndef VMRUN_RUNTIME_HOST_PROGRAM_LOOK_H
#define VMRUN_RUNTIME_HOST_PROGRAM_LOOK_H

#include "runtime/plan/plan_types.h"

/**
 * program_look() - Look for the program in the root that is shared
 *
 * A program that mounts may bring, or a root on a disk, is left to the guest. The root's files are not trusted: no link leads
 * out of it.
 * Syscalls: openat openat2 fstat close
 * Return: 0; -ENOENT or -EACCES in runc's words
 */
MUST_CHECK int program_look(const struct plan *p, struct err *err);

#endif

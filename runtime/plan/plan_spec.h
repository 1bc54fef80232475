/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The description of a session, its part of a process (devices/core/agent_spec.h)
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_SPEC_H
#define VMRUN_RUNTIME_PLAN_PLAN_SPEC_H

#include "runtime/util/spec_items.h"

struct bundle;
struct bundle_process;

/**
 * plan_spec_process() - Append the items of a process: all that the session of an exec has
 * @b:		The container's bundle: what all its processes share, like the filter of /linux/seccomp
 *
 * Context: setup
 * Syscalls: with a filter memfd_create fstat pread close
 * Return: 0, -EINVAL with a JSON pointer of @b, -ENOMEM
 */
MUST_CHECK int plan_spec_process(struct spec_items *s, const struct bundle_process *p,
				 const struct bundle *b, struct err *err);

#endif

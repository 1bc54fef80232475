/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The namespaces of a container that its supervisor is in (runtime/plan/plan_namespaces.h says why)
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_NAMESPACES_H
#define VMRUN_RUNTIME_SUPERVISOR_NAMESPACES_H

#include "runtime/supervisor/supervisor.h"
#include "runtime/util/spec_items.h"

/**
 * namespaces_enter() - Enter those of the plan, or make them
 *
 * A caller that may not make them stays where it is: without the right to put anything into them, it has no use for
 * them. A new uts namespace has the container's hostname, so that those who join it learn it.
 * Context: a process with one thread
 * Syscalls: openat fstat fstatfs ioctl setns unshare sethostname
 */
MUST_CHECK int namespaces_enter(struct supervisor *s, struct err *err);

/** namespaces_describe() - Add the hostname if it is that of the uts namespace: the pod's or the host's is the container's */
void namespaces_describe(const struct supervisor *s, struct spec_items *to);

#endif

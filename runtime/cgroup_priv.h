/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What cgroup.c and cgroup_limits.c share
 */
#ifndef VMRUN_RUNTIME_CGROUP_PRIV_H
#define VMRUN_RUNTIME_CGROUP_PRIV_H

#include "runtime/cgroup.h"

/** cgroup_has_controller() - Whether a v1 hierarchy is the one of controller @name */
bool cgroup_has_controller(const struct cgroup_mount *m, const char *name);

/** cgroup_write() - Write @text to a file of a cgroup: 0 or -errno.  Syscalls: openat write close */
int cgroup_write(const char *dir, const char *file, const char *text);

/** cgroup_limit() - Set the limits of a leaf that is there; as cgroup_make() */
void cgroup_limit(const struct cgroup *c, const struct plan_cgroup *plan,
		  void (*warn)(void *arg, const char *text), void *arg);

#endif

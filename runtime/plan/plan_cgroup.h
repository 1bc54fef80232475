/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where the processes of a VM go, and their limits
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_CGROUP_H
#define VMRUN_RUNTIME_PLAN_PLAN_CGROUP_H

#include "runtime/plan/plan_device.h"

/**
 * plan_cgroup_build() - Place and limits of the VM's processes, once all of these are in the plan
 *
 * Return: 0, -EINVAL for limits in which no such VM has room, -ENOMEM
 */
MUST_CHECK int plan_cgroup_build(struct plan_build *bd);

/** plan_cgroup_free() - Free what it owns */
void plan_cgroup_free(struct plan_cgroup *cg);

#endif

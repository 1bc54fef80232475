/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where the processes of a VM go, and their limits
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_CGROUP_H
#define VMRUN_RUNTIME_PLAN_PLAN_CGROUP_H

#include "runtime/plan/plan_device.h"

/**
 * plan_cgroup_build() - Plan the cgroup of a VM whose processes are all in the plan
 *
 * Return: 0, -EINVAL for limits too small for this VM, or -ENOMEM
 */
MUST_CHECK int plan_cgroup_build(struct plan_build *bd);

/** plan_cgroup_free() - Free the members that @cg owns */
void plan_cgroup_free(struct plan_cgroup *cg);

#endif

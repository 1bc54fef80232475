/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Processes that the kernel killed for want of memory
 */
#ifndef VMRUN_RUNTIME_HOST_CGROUP_OOM_H
#define VMRUN_RUNTIME_HOST_CGROUP_OOM_H

#include "runtime/host/cgroup_mounts.h"

/** cgroup_oom_kills() - Count the VM's processes that the kernel killed for want of memory */
uint64_t cgroup_oom_kills(const struct cgroup *c);

/** cgroup_describe_oom() - Write " (out of memory: ...)" with advice; false, and "", without such a kill */
bool cgroup_describe_oom(const struct cgroup *c, char *ret, size_t size);

#endif

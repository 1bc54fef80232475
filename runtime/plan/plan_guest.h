/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Which kernel a VM boots, with how much memory and how many vCPUs
 *
 * For a container the first of these counts: /vm, the annotations that the host allows, /linux/resources, the host's own
 * file (runtime/config/host_config.h).
 */
#ifndef VMRUN_RUNTIME_PLAN_PLAN_GUEST_H
#define VMRUN_RUNTIME_PLAN_PLAN_GUEST_H

#include "runtime/plan/plan_device.h"

/*
 * What the host needs for the VM of a container beyond its memory; its control group gets this on top of the container's
 * limit. At rest a small VM has 5.3 MiB: 1.4 in processes, 3.0 in the kernel, files for the rest. The kernel's part grows with
 * buffers of sockets and pipes, and with page tables, a 512th of the guest's memory each for KVM and the VMM. Files of the
 * share need room while they are being read and written.
 */
#define PLAN_GUEST_OVERHEAD(mem_bytes) ((16ULL << 20) + (mem_bytes) / 256)

/** plan_guest_choose() - Set bd->guest, and the plan's mem_bytes and nr_vcpus */
MUST_CHECK int plan_guest_choose(struct plan_build *bd);

#endif

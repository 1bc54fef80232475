/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the guest's CPUID says
 *
 * Begins with what KVM supports on this host and takes away: virtualization, performance counters,
 * thermal and power features, SGX, memory encryption. Topology is made up: one package with as many
 * cores as vCPUs, one thread each, APIC id = vCPU number. KVM's own leaves stay.
 */
#ifndef VMRUN_VMM_X86_CPUID_H
#define VMRUN_VMM_X86_CPUID_H

#include <linux/kvm.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define CPUID_MAX 256

/** struct cpuid_table - A CPUID table; what KVM calls struct kvm_cpuid2, with room */
struct cpuid_table {
	uint32_t nr;
	struct kvm_cpuid_entry2 entry[CPUID_MAX];
};

/**
 * cpuid_supported() - Ask KVM what it supports, and clean it
 * @nr_vcpus:	1 to BOOT_VCPUS_MAX
 *
 * Syscalls: ioctl
 */
MUST_CHECK int cpuid_supported(int kvm_fd, unsigned int nr_vcpus, struct cpuid_table *ret,
				   struct err *err);

/**
 * cpuid_clean() - Clean a table in place, for all vCPUs alike
 * @tsc_deadline:	The in-kernel LAPIC has a TSC deadline timer
 */
void cpuid_clean(struct cpuid_table *c, unsigned int nr_vcpus, bool tsc_deadline);

/** cpuid_set_id() - Put a vCPU's APIC id wherever it appears */
void cpuid_set_id(struct cpuid_table *c, unsigned int id);

/** cpuid_apply() - Give a vCPU its table (KVM_SET_CPUID2).  Syscalls: ioctl */
MUST_CHECK int cpuid_apply(int vcpu_fd, const struct cpuid_table *c, struct err *err);

#endif

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

#define X86_CPUID_MAX 256

/** struct x86_cpuid - A CPUID table; what KVM calls struct kvm_cpuid2, with room */
struct x86_cpuid {
	uint32_t nr;
	struct kvm_cpuid_entry2 entry[X86_CPUID_MAX];
};

/**
 * x86_cpuid_supported() - Ask KVM what it supports, and clean it
 * @nr_vcpus:	1 to 32
 *
 * Syscalls: ioctl
 */
MUST_CHECK int x86_cpuid_supported(int kvm_fd, unsigned int nr_vcpus, struct x86_cpuid *ret,
				   struct err *err);

/**
 * x86_cpuid_clean() - Clean a table in place, for all vCPUs alike
 * @tsc_deadline:	The in-kernel LAPIC has a TSC deadline timer
 */
void x86_cpuid_clean(struct x86_cpuid *c, unsigned int nr_vcpus, bool tsc_deadline);

/** x86_cpuid_set_id() - Put a vCPU's APIC id wherever it appears */
void x86_cpuid_set_id(struct x86_cpuid *c, unsigned int id);

/** x86_cpuid_apply() - Give a vCPU its table (KVM_SET_CPUID2).  Syscalls: ioctl */
MUST_CHECK int x86_cpuid_apply(int vcpu_fd, const struct x86_cpuid *c, struct err *err);

#endif

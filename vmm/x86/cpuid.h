/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: CPUID of the guest
 *
 * It is what KVM supports on this host, without virtualization, performance counters, thermal and power
 * features, SGX and memory encryption. The topology is ours: one package with one core per vCPU, one thread
 * per core; the APIC id is the vCPU's number. KVM's own leaves stay.
 */
#ifndef VMRUN_VMM_X86_CPUID_H
#define VMRUN_VMM_X86_CPUID_H

#include <linux/kvm.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define CPUID_MAX 256

/** struct cpuid_table - A CPUID table, as KVM's struct kvm_cpuid2 with room for entries */
struct cpuid_table {
	uint32_t nr;
	struct kvm_cpuid_entry2 entry[CPUID_MAX];
};

/**
 * cpuid_supported() - Get the table that KVM supports, and clean it
 * @nr_vcpus:	1 to BOOT_VCPUS_MAX
 *
 * Syscalls: ioctl
 */
MUST_CHECK int cpuid_supported(int kvm_fd, unsigned int nr_vcpus, struct cpuid_table *ret,
				   struct err *err);

/**
 * cpuid_clean() - Clean a table in place, for all vCPUs alike
 * @tsc_deadline:	KVM's LAPIC has a TSC deadline timer
 */
void cpuid_clean(struct cpuid_table *c, unsigned int nr_vcpus, bool tsc_deadline);

/** cpuid_set_id() - Set a vCPU's APIC id in all leaves that have it */
void cpuid_set_id(struct cpuid_table *c, unsigned int id);

/** cpuid_apply() - Give a vCPU its table (KVM_SET_CPUID2).  Syscalls: ioctl */
MUST_CHECK int cpuid_apply(int vcpu_fd, const struct cpuid_table *c, struct err *err);

#endif

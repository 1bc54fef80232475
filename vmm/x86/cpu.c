/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vmm/arch.h for x86: vCPUs
 *
 * All vCPUs but the first wait for INIT and SIPI, which KVM's LAPICs handle.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/arch.h"
#include "vmm/x86/cpuid.h"

#define MSR_MISC_ENABLE	  0x1a0
#define MSR_MISC_FAST_STR 0x1ULL
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLED_WB	  0x806ULL

#define LAPIC_LINT0	  0x350
#define LAPIC_LINT1	  0x360
#define LAPIC_LVT_EXTINT  0x700U
#define LAPIC_LVT_NMI	  0x400U

static int cpu_lapic(int vcpu_fd, struct err *err)
{
	static const uint32_t lint0 = LAPIC_LVT_EXTINT, lint1 = LAPIC_LVT_NMI;
	struct kvm_lapic_state lapic;

	if (ioctl(vcpu_fd, KVM_GET_LAPIC, &lapic) < 0)
		return err_set(err, errno, "KVM_GET_LAPIC");
	memcpy(lapic.regs + LAPIC_LINT0, &lint0, sizeof(lint0));
	memcpy(lapic.regs + LAPIC_LINT1, &lint1, sizeof(lint1));
	if (ioctl(vcpu_fd, KVM_SET_LAPIC, &lapic) < 0)
		return err_set(err, errno, "KVM_SET_LAPIC");
	return 0;
}

static int cpu_msrs(int vcpu_fd, struct err *err)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[2];
	} msrs = {
		.head.nmsrs = 2,
		.entry = {{.index = MSR_MISC_ENABLE, .data = MSR_MISC_FAST_STR},
			  {.index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLED_WB}},
	};
	int done = ioctl(vcpu_fd, KVM_SET_MSRS, &msrs);

	if (done < 0)
		return err_set(err, errno, "KVM_SET_MSRS");
	if (done < 2)
		return err_text(err, EIO, "kvm: refuses MSR 0x%x", msrs.entry[done].index);
	return 0;
}

/* CPUID comes first: it decides which state KVM accepts. */
static int cpu_init(int vcpu_fd, const struct cpuid_table *cpuid, struct err *err)
{
	struct kvm_fpu fpu = {.fcw = 0x37f, .mxcsr = 0x1f80};
	int rc = cpuid_apply(vcpu_fd, cpuid, err);

	if (rc == 0)
		rc = cpu_lapic(vcpu_fd, err);
	if (rc == 0)
		rc = cpu_msrs(vcpu_fd, err);
	if (rc == 0 && ioctl(vcpu_fd, KVM_SET_FPU, &fpu) < 0)
		rc = err_set(err, errno, "KVM_SET_FPU");
	return rc;
}

int arch_vcpus_init(const struct arch_vcpus *v, struct err *err)
{
	cleanup_free struct cpuid_table *cpuid = calloc(1, sizeof(*cpuid));
	int rc;

	if (!cpuid)
		return err_set(err, ENOMEM, "CPUID table");
	rc = cpuid_supported(v->kvm_fd, v->nr, cpuid, err);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < v->nr; i++) {
		cpuid_set_id(cpuid, i);
		rc = cpu_init(v->fd[i], cpuid, err);
		if (rc < 0)
			return err_wrap(err, "vCPU %u", i);
	}
	return 0;
}

bool arch_exit(struct kvm_run *run, struct arch_exit *ret)
{
	if (run->exit_reason == KVM_EXIT_SHUTDOWN) {
		ret->cause = END_TRIPLE_FAULT;
		ret->text = "triple fault";
		return true;
	}
	if (run->exit_reason != KVM_EXIT_IO)
		return false;
	/* A string instruction makes several accesses to one port. */
	*ret = (struct arch_exit){
		.nr = run->io.count,
		.space = BUS_PIO,
		.write = run->io.direction == KVM_EXIT_IO_OUT,
		.addr = run->io.port,
		.data = (uint8_t *)run + run->io.data_offset,
		.len = run->io.size,
	};
	return true;
}

/* Fails for a guest that does not use kvm-clock, which then has no watchdog that reads the flag. */
void arch_vcpu_resume(int vcpu_fd)
{
	(void)!ioctl(vcpu_fd, KVM_KVMCLOCK_CTRL, 0);
}

uint64_t arch_vcpu_pc(int vcpu_fd)
{
	struct kvm_regs regs;

	return ioctl(vcpu_fd, KVM_GET_REGS, &regs) < 0 ? 0 : regs.rip;
}

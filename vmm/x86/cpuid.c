/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/cpuid.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define BIT(n)	   (1U << (n))

#define LEVEL_SMT  1U
#define LEVEL_CORE 2U

/**
 * struct cpuid_mask - Bits to set and to clear in one leaf, all its subleaves
 * @keep:	Per register eax, ebx, ecx, edx: bits that may stay
 * @set:	Bits that are always set
 */
struct cpuid_mask {
	uint32_t leaf;
	uint32_t keep[4];
	uint32_t set[4];
};

#define ALL ~0U

static const struct cpuid_mask cpuid_masks[] = {
	/* ecx: DTES64 MONITOR DS_CPL VMX SMX EST TM2 xTPR PDCM off, x2APIC and hypervisor on;
	 * edx: PSN DS ACPI TM PBE off; ebx is topology */
	{1,
	 {ALL, 0x0000ff00, ~(0x1fcU | BIT(14) | BIT(15)),
	  ~(BIT(18) | BIT(21) | BIT(22) | BIT(28) | BIT(29) | BIT(31))},
	 {0, 0, BIT(21) | BIT(31), 0}},
	{5, {0}, {0}},					     /* MONITOR/MWAIT */
	{6, {BIT(2), 0, 0, 0}, {0}},			     /* thermal and power, except ARAT */
	{7, {ALL, ~(BIT(2) | BIT(25)), ~BIT(30), ALL}, {0}}, /* SGX, processor trace, SGX launch */
	{0xa, {0}, {0}},				     /* performance counters */
	{0x12, {0}, {0}},				     /* SGX */
	{0x14, {0}, {0}},				     /* processor trace */
	/* SVM SKINIT IBS WDT LWP off, TCE stays; TOPOEXT stays, performance counters off */
	{0x80000001,
	 {ALL, ALL,
	  ~(BIT(2) | BIT(10) | BIT(12) | BIT(13) | BIT(15) | BIT(23) | BIT(24) | BIT(27) | BIT(28)),
	  ALL},
	 {0}},
	{0x80000007, {0, 0, 0, BIT(8)}, {0}}, /* power management, except invariant TSC */
	{0x8000000a, {0}, {0}},		      /* SVM */
	{0x8000001b, {0}, {0}},		      /* IBS */
	{0x8000001f, {0}, {0}},		      /* memory encryption */
	{0x80000022, {0}, {0}},		      /* performance counters */
};

static unsigned int cpuid_id_bits(unsigned int nr_vcpus)
{
	unsigned int bits = 0;

	while ((1U << bits) < nr_vcpus)
		bits++;
	return bits;
}

static void cpuid_mask(struct kvm_cpuid_entry2 *e)
{
	uint32_t *reg[4] = {&e->eax, &e->ebx, &e->ecx, &e->edx};

	for (size_t i = 0; i < ARRAY_SIZE(cpuid_masks); i++) {
		if (cpuid_masks[i].leaf != e->function)
			continue;
		for (unsigned int r = 0; r < 4; r++)
			*reg[r] = (*reg[r] & cpuid_masks[i].keep[r]) | cpuid_masks[i].set[r];
	}
}

/* All cores share the level 3 cache; each has its own others. */
static void cpuid_cache(struct kvm_cpuid_entry2 *e, unsigned int nr_vcpus)
{
	uint32_t level = e->eax >> 5 & 7;
	uint32_t sharing = level >= 3 ? (1U << cpuid_id_bits(nr_vcpus)) - 1 : 0;

	if ((e->eax & 0x1f) == 0)
		return;
	if (e->function == 4)
		e->eax = (e->eax & 0x3fff) | sharing << 14 |
			 ((1U << cpuid_id_bits(nr_vcpus)) - 1) << 26;
	else
		e->eax = (e->eax & 0x3fff) | (level >= 3 ? nr_vcpus - 1 : 0) << 14;
}

static void cpuid_topology(struct kvm_cpuid_entry2 *e, unsigned int nr_vcpus)
{
	switch (e->function) {
	case 1:
		e->ebx |= 1U << cpuid_id_bits(nr_vcpus) << 16;
		e->edx = nr_vcpus > 1 ? e->edx | BIT(28) : e->edx;
		break;
	case 4:
	case 0x8000001d: cpuid_cache(e, nr_vcpus); break;
	case 0x80000001: /* CMP_LEGACY: the count in leaf 1 is of cores */
		e->ecx = nr_vcpus > 1 ? e->ecx | BIT(1) : e->ecx & ~BIT(1);
		break;
	case 0x80000008: e->ecx = cpuid_id_bits(nr_vcpus) << 12 | (nr_vcpus - 1); break;
	case 0x8000001e: /* one node, one thread a core */
		e->ebx = 0;
		e->ecx = 0;
		break;
	default: break;
	}
}

static void cpuid_drop(struct cpuid_table *c, uint32_t leaf)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->nr; i++) {
		if (c->entry[i].function != leaf)
			c->entry[kept++] = c->entry[i];
	}
	c->nr = kept;
}

static void cpuid_level(struct cpuid_table *c, uint32_t leaf, uint32_t level, unsigned int nr_vcpus)
{
	uint32_t type = level == 0 ? LEVEL_SMT : level == 1 ? LEVEL_CORE : 0;

	if (c->nr == CPUID_MAX)
		return;
	c->entry[c->nr++] = (struct kvm_cpuid_entry2){
		.function = leaf,
		.index = level,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = level == 1 ? cpuid_id_bits(nr_vcpus) : 0,
		.ebx = level == 0   ? 1
		       : level == 1 ? nr_vcpus
				    : 0,
		.ecx = type << 8 | level,
	};
}

void cpuid_clean(struct cpuid_table *c, unsigned int nr_vcpus, bool tsc_deadline)
{
	static const uint32_t extended[] = {0xb, 0x1f};
	uint32_t max = 0;

	for (uint32_t i = 0; i < c->nr; i++) {
		cpuid_mask(&c->entry[i]);
		cpuid_topology(&c->entry[i], nr_vcpus);
		if (c->entry[i].function == 0)
			max = c->entry[i].eax;
		if (c->entry[i].function == 1)
			c->entry[i].ecx = (c->entry[i].ecx & ~BIT(24)) |
					  (tsc_deadline ? BIT(24) : 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(extended); i++) {
		cpuid_drop(c, extended[i]);
		for (uint32_t level = 0; level < 3 && max >= extended[i]; level++)
			cpuid_level(c, extended[i], level, nr_vcpus);
	}
}

void cpuid_set_id(struct cpuid_table *c, unsigned int id)
{
	for (uint32_t i = 0; i < c->nr; i++) {
		struct kvm_cpuid_entry2 *e = &c->entry[i];

		switch (e->function) {
		case 1: e->ebx = (e->ebx & 0x00ffffff) | id << 24; break;
		case 0xb:
		case 0x1f: e->edx = id; break;
		case 0x8000001e:
			e->eax = id;
			e->ebx = (e->ebx & ~0xffU) | id; /* core number */
			break;
		default: break;
		}
	}
}

int cpuid_supported(int kvm_fd, unsigned int nr_vcpus, struct cpuid_table *ret, struct err *err)
{
	cleanup_free struct kvm_cpuid2 *k = calloc(1,
						   sizeof(*k) + CPUID_MAX * sizeof(k->entries[0]));

	if (!k)
		return err_set(err, ENOMEM, "CPUID table");
	k->nent = CPUID_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, k) < 0)
		return err_set(err, errno, "KVM_GET_SUPPORTED_CPUID");
	ret->nr = k->nent;
	memcpy(ret->entry, k->entries, k->nent * sizeof(k->entries[0]));
	cpuid_clean(ret, nr_vcpus,
		    ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0);
	return 0;
}

int cpuid_apply(int vcpu_fd, const struct cpuid_table *c, struct err *err)
{
	cleanup_free struct kvm_cpuid2 *k = calloc(1, sizeof(*k) + c->nr * sizeof(k->entries[0]));

	if (!k)
		return err_set(err, ENOMEM, "CPUID table");
	k->nent = c->nr;
	memcpy(k->entries, c->entry, c->nr * sizeof(k->entries[0]));
	if (ioctl(vcpu_fd, KVM_SET_CPUID2, k) < 0)
		return err_set(err, errno, "KVM_SET_CPUID2");
	return 0;
}

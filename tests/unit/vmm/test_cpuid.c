/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/cpuid.h"

#include <criterion/criterion.h>

#define ALL 0xffffffffU

static struct cpuid_table table;

static void put(uint32_t leaf, uint32_t index)
{
	table.entry[table.nr++] = (struct kvm_cpuid_entry2){
		.function = leaf, .index = index, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL};
}

/* A processor that has everything */
static void full(unsigned int nr_vcpus)
{
	static const uint32_t leaves[] = {
		0,	    1,		4,	    5,		6,	    7,
		0xa,	    0xb,	0x12,	    0x14,	0x1f,	    0x40000000,
		0x40000001, 0x80000000, 0x80000001, 0x80000007, 0x80000008, 0x8000000a,
		0x8000001d, 0x8000001e, 0x8000001f, 0x80000022,
	};

	table.nr = 0;
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		put(leaves[i], 0);
	table.entry[0].eax = 0x1f; /* highest basic leaf */
	cpuid_clean(&table, nr_vcpus, true);
}

static const struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < table.nr; i++) {
		if (table.entry[i].function == function && table.entry[i].index == index)
			return &table.entry[i];
	}
	cr_assert_fail("leaf 0x%x is missing", function);
	return NULL;
}

Test(cpuid, nothing_that_is_not_emulated)
{
	static const struct {
		const char *what;
		uint32_t leaf;
		char reg;
		uint32_t bits;
	} off[] = {
		{"VMX", 1, 'c', 1 << 5},
		{"SMX", 1, 'c', 1 << 6},
		{"MONITOR", 1, 'c', 1 << 3},
		{"PDCM", 1, 'c', 1 << 15},
		{"thermal monitor", 1, 'd', 1 << 29},
		{"MWAIT", 5, 'd', ALL},
		{"turbo and the rest of leaf 6", 6, 'a', ~4U},
		{"performance bias", 6, 'c', ALL},
		{"SGX", 7, 'b', 1 << 2},
		{"processor trace feature", 7, 'b', 1 << 25},
		{"performance counters", 0xa, 'a', ALL},
		{"SGX leaf", 0x12, 'a', ALL},
		{"processor trace", 0x14, 'a', ALL},
		{"SVM", 0x80000001, 'c', 1 << 2},
		{"SKINIT", 0x80000001, 'c', 1 << 12},
		{"performance counters", 0x80000001, 'c', 3 << 23},
		{"SVM leaf", 0x8000000a, 'd', ALL},
		{"memory encryption", 0x8000001f, 'a', ALL},
		{"performance counters", 0x80000022, 'a', ALL},
	};

	full(1);
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		const struct kvm_cpuid_entry2 *e = leaf(off[i].leaf, 0);
		uint32_t regs[] = {['a' - 'a'] = e->eax, e->ebx, e->ecx, e->edx};

		cr_assert_eq(regs[off[i].reg - 'a'] & off[i].bits, 0, "%s", off[i].what);
	}
}

Test(cpuid, what_the_guest_counts_on_stays)
{
	full(1);
	cr_assert(leaf(1, 0)->ecx & 1U << 31, "hypervisor");
	cr_assert(leaf(1, 0)->ecx & 1 << 21, "x2APIC");
	cr_assert(leaf(1, 0)->ecx & 1 << 24, "TSC deadline");
	cr_assert(leaf(1, 0)->ecx & 1 << 9, "SSSE3 lies among bits that go");
	cr_assert_eq(leaf(6, 0)->eax, 4, "ARAT");
	cr_assert_eq(leaf(0x80000007, 0)->edx, 1 << 8, "invariant TSC");
	cr_assert_eq(leaf(0x40000001, 0)->eax, ALL, "kvmclock and the rest of KVM's");
	table.nr = 0;
	put(1, 0);
	cpuid_clean(&table, 1, false);
	cr_assert_eq(leaf(1, 0)->ecx & 1 << 24, 0, "no TSC deadline without the LAPIC's");
}

Test(cpuid, topology_for_each_size)
{
	static const struct {
		unsigned int vcpus, bits;
	} cases[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {31, 5}, {32, 5}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int n = cases[i].vcpus, bits = cases[i].bits;

		full(n);
		cr_assert_eq(leaf(1, 0)->ebx >> 16 & 0xff, 1U << bits, "%u", n);
		cr_assert_eq(leaf(1, 0)->edx >> 28 & 1, n > 1);
		for (uint32_t f = 0xb; f <= 0x1f; f += 0x1f - 0xb) {
			cr_assert_eq(leaf(f, 0)->eax, 0);
			cr_assert_eq(leaf(f, 0)->ebx, 1);
			cr_assert_eq(leaf(f, 0)->ecx, 0x100, "threads");
			cr_assert_eq(leaf(f, 1)->eax, bits);
			cr_assert_eq(leaf(f, 1)->ebx, n);
			cr_assert_eq(leaf(f, 1)->ecx, 0x201, "cores");
			cr_assert_eq(leaf(f, 2)->ecx, 2, "end");
		}
		cr_assert_eq(leaf(4, 0)->eax >> 26, (1U << bits) - 1);
		cr_assert_eq(leaf(0x80000008, 0)->ecx, bits << 12 | (n - 1));
		cr_assert_eq(leaf(0x80000001, 0)->ecx >> 1 & 1, n > 1);
	}
}

Test(cpuid, ids)
{
	full(32);
	cpuid_set_id(&table, 3);
	cpuid_set_id(&table, 29);
	cr_assert_eq(leaf(1, 0)->ebx >> 24, 29);
	cr_assert_eq(leaf(0xb, 0)->edx, 29);
	cr_assert_eq(leaf(0xb, 1)->edx, 29);
	cr_assert_eq(leaf(0x1f, 1)->edx, 29);
	cr_assert_eq(leaf(0x8000001e, 0)->eax, 29);
	cr_assert_eq(leaf(0x8000001e, 0)->ebx, 29, "core 29, one thread");
}

Test(cpuid, old_processors_get_no_new_leaves)
{
	table.nr = 0;
	put(0, 0);
	put(1, 0);
	table.entry[0].eax = 1;
	cpuid_clean(&table, 2, true);
	cr_assert_eq(table.nr, 2);
}

Test(cpuid, full_table_is_not_overrun)
{
	table.nr = 0;
	for (uint32_t i = 0; i < CPUID_MAX; i++)
		put(i == 0 ? 0 : 0x40000000 + i, 0);
	cpuid_clean(&table, 2, true);
	cr_assert_eq(table.nr, CPUID_MAX);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/constants.h"

#include <criterion/criterion.h>
#include <string.h>

static bool find(const char *name, size_t len, uint64_t *ret)
{
	return constants_find(&constants_x86_64, name, len, ret);
}

/* From the kernel's documentation of its ABI, not from the headers the table is made of. */
Test(constants, have_the_values_of_the_abi)
{
	static const struct {
		const char *name;
		uint64_t value;
	} cases[] = {
		{"PROT_EXEC", 4},
		{"MAP_SHARED", 1},
		{"KVM_RUN", 0xae80},
		{"KVM_IRQFD", 0x4020ae76},
		{"BLKDISCARD", 0x1277},
		{"BLKZEROOUT", 0x127f},
		{"TUNSETOFFLOAD", 0x400454d0},
		{"FALLOC_FL_PUNCH_HOLE", 2},
		{"AT_FDCWD", (uint64_t)-100},
		{"MSG_CMSG_CLOEXEC", 0x40000000},
		{"KVM_GET_REGS", 0x8090ae81},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 0;

		cr_expect(find(cases[i].name, strlen(cases[i].name), &v));
		cr_expect_eq(v, cases[i].value, "%s is 0x%lx", cases[i].name, (unsigned long)v);
	}
}

Test(constants, names_match_whole)
{
	uint64_t v = 77;

	cr_expect_not(find("PROT_EXECX", 10, &v));
	cr_expect_not(find("PROT_EXE", 8, &v));
	cr_expect_not(find("", 0, &v));
	cr_expect_eq(v, 77);
	cr_expect(find("PROT_EXECX", 9, &v));
}

Test(constants, are_sorted_and_differ_between_architectures)
{
	const struct constants *of = &constants_x86_64;
	uint64_t v[3];

	for (unsigned int i = 1; i < of->nr; i++)
		cr_expect_lt(strcmp(of->names + of->name[i - 1], of->names + of->name[i]), 0);
	cr_assert(find("O_DIRECT", 8, &v[0]));
	cr_assert(constants_find(&constants_aarch64, "O_DIRECT", 8, &v[1]));
	cr_assert(constants_find(&constants_arm, "O_DIRECT", 8, &v[2]));
	cr_expect(v[0] == 0x4000 && v[1] == 0x10000 && v[2] == 0x10000);
}

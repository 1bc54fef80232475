/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/constants.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

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
#ifdef __x86_64__
		{"KVM_GET_REGS", 0x8090ae81},
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 0;

		cr_expect(constants_find(cases[i].name, strlen(cases[i].name), &v));
		cr_expect_eq(v, cases[i].value, "%s is 0x%lx", cases[i].name, (unsigned long)v);
	}
}

Test(constants, names_match_whole)
{
	uint64_t v = 77;

	cr_expect_not(constants_find("PROT_EXECX", 10, &v));
	cr_expect_not(constants_find("PROT_EXE", 8, &v));
	cr_expect_not(constants_find("", 0, &v));
	cr_expect_not(constants_find("ENOSYS", 6, &v));
	cr_expect_eq(v, 77);
	cr_expect(constants_find("PROT_EXECX", 9, &v));
}

Test(constants, errno_names_are_a_table_of_their_own)
{
	cr_expect_eq(constants_errno("ENOSYS", 6), ENOSYS);
	cr_expect_eq(constants_errno("EPERM", 5), EPERM);
	cr_expect_eq(constants_errno("PROT_EXEC", 9), 0);
	cr_expect_eq(constants_errno("EPER", 4), 0);
}

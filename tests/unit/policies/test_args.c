/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/args.h"

#include <criterion/criterion.h>

Test(args, widths_are_those_of_the_kernels_definitions)
{
	cr_expect(args_is_32bit("ioctl", 1));
	cr_expect_not(args_is_32bit("ioctl", 2));
	cr_expect(args_is_32bit("prctl", 0));
	cr_expect_not(args_is_32bit("prctl", 1));
	cr_expect(args_is_32bit("preadv2", 5));
	cr_expect_not(args_is_32bit("preadv2", 0));
	for (unsigned int i = 0; i < 6; i++)
		cr_expect_not(args_is_32bit("mmap", i));
}

Test(args, unknown_syscalls_have_wide_arguments)
{
	cr_expect(args_known("mmap"));
	cr_expect_not(args_known("mount"));
	cr_expect_not(args_is_32bit("mount", 0));
}

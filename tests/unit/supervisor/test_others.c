/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runtime/supervisor/others.h"

Test(others, the_socket_is_named)
{
	static struct plan_proc procs[2] = {
		{.fd = {[BOOT_FD_DEVICE + 1] = {.path = (char *)"/run/a",
						.pointer = (char *)"/p/1"},
			[BOOT_FD_DEVICE + 2] = {.path = (char *)"/run/b",
						.pointer = (char *)"/p/2"}}},
	};
	const struct plan p = {.nr_procs = 2,
			       .proc = procs,
			       .nr_others = 2,
			       .other = {{.name = "fs1"}, {.name = "fs10"}}};
	struct err err = {.code = 7, .msg = "before"};

	cr_expect(others_name(&p, "device fs10: no answer in 5000 ms", &err));
	cr_expect_str_eq(err.msg, "/p/2: no answer in 5000 ms (/run/b)");
	cr_expect(others_name(&p, "device fs1: why: not", &err));
	cr_expect_str_eq(err.msg, "/p/1: why: not (/run/a)");
	cr_expect_not(others_name(&p, "device fs: no", &err));
	cr_expect_not(others_name(&p, "device fs1", &err));
	cr_expect_not(others_name(&p, "fs1: no", &err));
	cr_expect_not(others_name(&p, "", &err));
	cr_expect_str_eq(err.msg, "/p/1: why: not (/run/a)");
}

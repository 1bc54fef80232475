/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

static const char *long_text(void)
{
	static char text[2 * ERR_MSG_BYTES];

	memset(text, 'l', sizeof(text) - 1);
	return text;
}

Test(err, set_appends_the_systems_words)
{
	struct err err = {0};

	cr_assert_eq(err_set(&err, ENOENT, "open %s", "/x"), -ENOENT);
	cr_assert_eq(err.code, ENOENT);
	cr_assert_str_eq(err.msg, "open /x: No such file or directory");
}

Test(err, text_stands_alone)
{
	struct err err = {0};

	cr_assert_eq(err_text(&err, EINVAL, "/vm/hwConfig/vcpus: %d is too many", 33), -EINVAL);
	cr_assert_eq(err.code, EINVAL);
	cr_assert_str_eq(err.msg, "/vm/hwConfig/vcpus: 33 is too many");
}

Test(err, wrap_goes_in_front_and_keeps_the_code)
{
	struct err err = {0};

	err_set(&err, EACCES, "open /dev/kvm");
	cr_assert_eq(err_wrap(&err, "create %s", "vm1"), -EACCES);
	cr_assert_eq(err.code, EACCES);
	cr_assert_str_eq(err.msg, "create vm1: open /dev/kvm: Permission denied");
}

Test(err, null_is_refused, .signal = SIGILL)
{
	(void)err_set(NULL, EIO, "x");
}

Test(err, arguments_may_point_into_it)
{
	struct err err = {0};

	err_text(&err, EIO, "inner");
	err_set(&err, EBUSY, "outer of %s", err.msg);
	cr_assert_str_eq(err.msg, "outer of inner: Device or resource busy");
	err_wrap(&err, "<%s>", err.msg);
	cr_assert_str_eq(err.msg, "<outer of inner: Device or resource busy>: "
				  "outer of inner: Device or resource busy");
}

Test(err, long_text_is_cut_before_the_systems_words)
{
	struct err err = {0};
	const char *tail = ": No such file or directory";

	err_set(&err, ENOENT, "%s", long_text());
	cr_assert_eq(strlen(err.msg), ERR_MSG_BYTES - 1);
	cr_assert_str_eq(err.msg + ERR_MSG_BYTES - 1 - strlen(tail), tail);
}

Test(err, long_text_and_long_wrap_stay_terminated)
{
	struct err err = {0};

	err_text(&err, EIO, "%s", long_text());
	cr_assert_eq(strlen(err.msg), ERR_MSG_BYTES - 1);
	err_wrap(&err, "%s", "in front");
	cr_assert_eq(strlen(err.msg), ERR_MSG_BYTES - 1);
	cr_assert_eq(strncmp(err.msg, "in front: lll", 13), 0);
	err_wrap(&err, "%s", long_text());
	cr_assert_eq(strlen(err.msg), ERR_MSG_BYTES - 1);
}

Test(err, describe_knows_every_number)
{
	cr_assert_str_eq(err_describe(EINVAL), "Invalid argument");
	cr_assert_str_eq(err_describe(99999), "Unknown error");
	for (int e = 1; e < 140; e++)
		cr_assert(err_describe(e) && err_describe(e)[0] != '\0', "errno %d", e);
}

Test(err, errno_of_success_is_a_bug, .signal = SIGILL)
{
	struct err err = {0};

	err_set(&err, 0, "x");
}

Test(err, negative_errno_is_a_bug, .signal = SIGILL)
{
	struct err err = {0};

	err_text(&err, -EINVAL, "x");
}

Test(err, wrapping_nothing_is_a_bug, .signal = SIGILL)
{
	struct err err = {0};

	err_wrap(&err, "x");
}

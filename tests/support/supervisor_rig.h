/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The place of a supervisor that the test plays: a state directory whose control socket it listens on
 */
#ifndef VMRUN_TESTS_SUPPORT_SUPERVISOR_RIG_H
#define VMRUN_TESTS_SUPPORT_SUPERVISOR_RIG_H

#include <criterion/criterion.h>
#include <fcntl.h>

#include "runtime/state/state_dir.h"
#include "runtime/supervisor/client.h"
#include "tests/support/temp_dir.h"

static int dir, listener; /* temp_dir_remove() removes the directory */

static inline void supervisor_listens(void)
{
	struct sockaddr_un sun;
	socklen_t len;

	temp_dir_make();
	dir = open(temp_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	len = client_address(dir, &sun);
	cr_assert_eq(bind(listener, (struct sockaddr *)&sun, len), 0);
	cr_assert_eq(listen(listener, 1), 0);
}

#endif

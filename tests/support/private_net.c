/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/private_net.h"

#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>

bool private_net(void)
{
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

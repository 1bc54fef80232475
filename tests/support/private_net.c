// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/private_net.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

static bool put(const char *path, const char *text, int len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, (size_t)len) == len;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool own_user_namespace(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[32];

	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	return put("/proc/self/setgroups", "deny", 4) &&
	       put("/proc/self/gid_map", map, snprintf(map, sizeof(map), "0 %u 1", gid)) &&
	       put("/proc/self/uid_map", map, snprintf(map, sizeof(map), "0 %u 1", uid));
}

bool private_net(void)
{
	if (geteuid() != 0 && !own_user_namespace())
		return false;
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

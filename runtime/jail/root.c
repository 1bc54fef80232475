/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/root.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>

static int root_failed(const char **ret_step, const char *step)
{
	*ret_step = step;
	return -errno;
}

int root_empty(const char **ret_step)
{
	/* Otherwise shared mounts would pass the next steps on to the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return root_failed(ret_step, "make mounts private");
	/* Any directory will do that exists on every host. */
	if (mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,nr_inodes=1,mode=0555") < 0)
		return root_failed(ret_step, "mount tmpfs");
	if (chdir("/proc") < 0)
		return root_failed(ret_step, "enter tmpfs");
	/* With equal arguments the old root is stacked on the new one: it needs no directory, and unmounting
	 * "." uncovers the empty root. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return root_failed(ret_step, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return root_failed(ret_step, "detach the old root");
	if (chdir("/") < 0)
		return root_failed(ret_step, "enter the new root");
	return 0;
}

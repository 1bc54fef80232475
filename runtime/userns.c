/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"

struct userns_ids userns_ids(pid_t supervisor)
{
	if (geteuid() != 0)
		return (struct userns_ids){geteuid(), getegid()};
	return (struct userns_ids){USERNS_HOST_BASE + (uid_t)supervisor,
				   USERNS_HOST_BASE + (gid_t)supervisor};
}

static int write_proc(pid_t pid, const char *file, const char *text, size_t len, struct err *err)
{
	char path[64];
	cleanup_fd int fd = -1;

	fmt_into(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "%s", path);
	/* The kernel takes a map in one write or not at all. */
	if (write(fd, text, len) != (ssize_t)len)
		return err_set(err, errno, "write %s", path);
	return 0;
}

int userns_write_maps(pid_t pid, struct userns_ids ids, struct err *err)
{
	char map[64];
	size_t len;
	int r;

	r = write_proc(pid, "setgroups", "deny", 4, err);
	if (r < 0)
		return r;
	len = fmt_into(map, sizeof(map), "%d %u 1\n", USERNS_ID, ids.gid);
	r = write_proc(pid, "gid_map", map, len, err);
	if (r < 0)
		return r;
	len = fmt_into(map, sizeof(map), "%d %u 1\n", USERNS_ID, ids.uid);
	return write_proc(pid, "uid_map", map, len, err);
}

int userns_become(void)
{
	/* The raw calls: libc's would try to take the other threads of the parent along. */
	if (syscall(SYS_setresgid, USERNS_ID, USERNS_ID, USERNS_ID) < 0)
		return -errno;
	if (syscall(SYS_setresuid, USERNS_ID, USERNS_ID, USERNS_ID) < 0)
		return -errno;
	return 0;
}

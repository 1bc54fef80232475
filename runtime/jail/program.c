/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "devices/core/fmt.h"

#define LIBEXEC "../libexec/vmrun"

int program_open(const char *name, struct err *err)
{
	char path[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(LIBEXEC) - 64);
	char *slash;
	int fd;

	if (n <= 0)
		return err_set(err, errno, "/proc/self/exe (mount /proc)");
	path[n] = '\0';
	slash = strrchr(path, '/');
	fmt_into(slash + 1, sizeof(path) - (size_t)(slash + 1 - path), LIBEXEC "/%s", name);
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "program %s", path) : fd;
}

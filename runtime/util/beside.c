/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/beside.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"

int beside_program(const char *relative, char ret[PATH_MAX], struct err *err)
{
	char path[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return err_set(err, errno, "/proc/self/exe (mount /proc)");
	path[n] = '\0';
	slash = strrchr(path, '/');
	/* The link has the real path, without symbolic links. */
	for (; strncmp(relative, "../", 3) == 0 && slash > path; relative += 3) {
		*slash = '\0';
		slash = strrchr(path, '/');
	}
	if ((size_t)(slash + 1 - path) + strlen(relative) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "%s beside %s", relative, path);
	fmt_into(slash + 1, sizeof(path) - (size_t)(slash + 1 - path), "%s", relative);
	memcpy(ret, path, sizeof(path));
	return 0;
}

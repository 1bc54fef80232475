/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/program.h"

#include <errno.h>
#include <fcntl.h>

#include "devices/core/fmt.h"
#include "runtime/util/beside.h"

int program_open(const char *name, struct err *err)
{
	char relative[NAME_MAX], path[PATH_MAX];
	int rc, fd;

	fmt_into(relative, sizeof(relative), "../libexec/vmrun/%s", name);
	rc = beside_program(relative, path, err);
	if (rc < 0)
		return rc;
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "program %s", path) : fd;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/version.h"

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/config/bundle.h"

void version_print(int fd)
{
	char text[160];
	size_t n = fmt_into(text, sizeof(text), "vmrun version %s\ncommit: %s\nspec: %s\n",
			    VMRUN_VERSION, VMRUN_COMMIT, BUNDLE_OCI_VERSION);

	/* if standard output is gone there is no way to report that */
	if (fd_write_full(fd, text, n) < 0)
		return;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/version.h"

#include <stdio.h>

#include "runtime/config/bundle.h"

void version_print(void)
{
	printf("vmrun version %s\ncommit: %s\nspec: %s\n", VMRUN_VERSION, VMRUN_COMMIT,
	       BUNDLE_OCI_VERSION);
}

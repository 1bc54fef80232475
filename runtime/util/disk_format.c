/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/disk_format.h"

#include <errno.h>
#include <string.h>

const char *const disk_format_names[] = {
	[DISK_UNSAID] = "",
	[DISK_RAW] = "raw",
	[DISK_QCOW2] = "qcow2",
	[DISK_FORMATS] = NULL,
};

int disk_format_parse(const char *name, enum disk_format *ret)
{
	for (unsigned int i = DISK_RAW; i < DISK_FORMATS; i++)
		if (!strcmp(disk_format_names[i], name)) {
			*ret = (enum disk_format)i;
			return 0;
		}
	return -EINVAL;
}
